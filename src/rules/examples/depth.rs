fn main() {
    let a: Vec<String> = std::env::args().collect();
    let n: usize = a[4].parse().unwrap();
    let text = format!("{}{}{}", a[1].repeat(n), a[2], a[3].repeat(n));
    let e = std::thread::Builder::new().stack_size(64<<20).spawn(move || { cel::Env::stdlib().parser().parse(&text).unwrap() }).unwrap().join().unwrap();
    let h = std::thread::Builder::new().stack_size(a[5].parse::<usize>().unwrap()<<10).spawn(move || { 
     let env = std::sync::Arc::new(cel::Env::stdlib()); let ctx = cel::Context::with_env(env); let r = format!("{:?}", cel::Value::resolve_val(&e, &ctx).map(|_| ())); r }).unwrap();
    println!("{:?}", h.join());
}
