//! A map that forgets: two generations, the younger of which becomes the elder when it has half of what may be kept, and the
//! elder is dropped. What is used stays; nothing is ever searched for what to throw away.

use std::collections::HashMap;
use std::hash::Hash;

/// The map. Weights are whatever the bound is in: octets, or 1 each.
#[derive(Debug)]
pub struct Generations<K, V> {
    young: HashMap<K, (V, usize)>,
    old: HashMap<K, (V, usize)>,
    weight: usize,
    half: usize,
}

impl<K: Eq + Hash + Clone, V> Generations<K, V> {
    /// For at most `most` weight in all.
    pub fn new(most: usize) -> Self {
        Generations { young: HashMap::new(), old: HashMap::new(), weight: 0, half: most / 2 }
    }

    /// What is kept under `key`; using it keeps it.
    pub fn find(&mut self, key: &K) -> Option<&mut V> {
        if !self.young.contains_key(key) {
            let (value, weight) = self.old.remove(key)?;
            self.put(key.clone(), value, weight);
        }
        self.young.get_mut(key).map(|(value, _)| value)
    }

    /// Keeps a value; one heavier than half of everything is not kept.
    pub fn put(&mut self, key: K, value: V, weight: usize) {
        if weight > self.half {
            return;
        }
        if self.weight + weight > self.half {
            self.old = std::mem::take(&mut self.young);
            self.weight = 0;
        }
        self.weight += weight;
        if let Some((_, before)) = self.young.insert(key, (value, weight)) {
            self.weight -= before;
        }
    }
}
