//! The least that durability costs: tasks hand octets to one writer, which appends all that waits to a file and syncs it
//! once for all of them. No index, no metadata, no protocol.

use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::Result;
use crate::measure::Done;

/// Files are as long as the daemon's segments by default.
const FILE: u64 = 64 << 20;
/// Octet strings in one write (IOV_MAX).
const AT_ONCE: usize = 1024;

type Waiting = (Bytes, oneshot::Sender<()>);

/// `tasks` tasks append `octets` again and again for `time`, each waiting until its own are on disk.
pub async fn append(directory: &Path, tasks: usize, octets: Bytes, time: Duration) -> Result<Done> {
    let (hand_in, waiting) = mpsc::channel::<Waiting>();
    let directory = directory.to_owned();
    let writer = std::thread::spawn(move || write(&directory, &waiting));
    let started = Instant::now();
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..tasks {
        let (hand_in, octets) = (hand_in.clone(), octets.clone());
        running.spawn(async move {
            let mut count = 0;
            while started.elapsed() < time {
                let (done, wait) = oneshot::channel();
                if hand_in.send((octets.clone(), done)).is_err() || wait.await.is_err() {
                    break;
                }
                count += 1;
            }
            count
        });
    }
    drop(hand_in);
    let count = running.join_all().await.into_iter().sum();
    let time = started.elapsed();
    writer.join().map_err(|_| "the writer crashed")??;
    Ok(Done { count, time })
}

fn write(directory: &Path, waiting: &mpsc::Receiver<Waiting>) -> io::Result<()> {
    let mut files: Vec<PathBuf> = Vec::new();
    let mut next = |directory: &Path| -> io::Result<File> {
        let path = directory.join(format!("append-{}", files.len()));
        let file = File::create(&path)?;
        files.push(path);
        File::open(directory)?.sync_all()?;
        Ok(file)
    };
    let mut file = next(directory)?;
    let mut length = 0;
    while let Ok(first) = waiting.recv() {
        let batch: Vec<Waiting> = std::iter::once(first).chain(waiting.try_iter()).take(AT_ONCE).collect();
        if length >= FILE {
            file = next(directory)?;
            length = 0;
        }
        let mut slices: Vec<IoSlice<'_>> = batch.iter().map(|(octets, _)| IoSlice::new(octets)).collect();
        let mut slices = &mut slices[..];
        while !slices.is_empty() {
            let written = file.write_vectored(slices)?;
            length += written as u64;
            IoSlice::advance_slices(&mut slices, written);
        }
        file.sync_data()?;
        for (_, done) in batch {
            let _ = done.send(()); // a task that is gone did not want to know
        }
    }
    drop(file);
    files.iter().try_for_each(std::fs::remove_file)
}
