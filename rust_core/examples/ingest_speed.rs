//! Measures how fast events are decoded, validated, deduplicated and made durable.
//! Run with `cargo run --release --example ingest_speed`.

use std::sync::Arc;
use std::time::Instant;

use quanyu_core::error::Result;
use quanyu_core::ingest::Ingestor;
use quanyu_core::log::LocalLog;
use quanyu_core::proto::schema::{EventType, Field, Schema, Type};
use quanyu_core::proto::wire::{put_bytes, put_fixed64, put_number, put_text};

const EVENTS: usize = 2_000_000;
const BATCH: usize = 10_000;
const NOW: i64 = 1_800_000_000_000;
const NUMBERS: [&str; 4] = ["amount", "discount", "quantity", "points"];
const TEXTS: [&str; 4] = ["product_id", "store_id", "basket_id", "promotion"];

fn schema() -> Schema {
    let field = |name: &&str, kind| {
        let field = Field {
            name: name.to_string(),
            kind,
            currency: String::new(),
            values: vec![],
            ordered: false,
            aliases: vec![],
            reference: String::new(),
        };
        (name.to_string(), field)
    };
    let numbers = NUMBERS.iter().map(|name| field(name, Type::Number));
    let order = EventType {
        name: "order".into(),
        properties: numbers
            .chain(TEXTS.iter().map(|name| field(name, Type::Text)))
            .collect(),
        counts_as_seen: true,
        aliases: vec![],
    };
    Schema {
        event_types: [("order".to_string(), order)].into(),
        ..Schema::default()
    }
}

fn event(at: usize) -> Vec<u8> {
    let (mut event, mut part, mut value) = (Vec::new(), Vec::new(), Vec::new());
    put_text(&mut event, 1, "tills");
    put_text(&mut event, 2, &format!("receipt-{at}"));
    put_text(&mut event, 3, "order");
    put_number(&mut part, 1, (NOW / 1000) as u64 - at as u64);
    put_bytes(&mut event, 4, &part);
    part.clear();
    put_text(&mut part, 1, "card");
    put_text(&mut part, 2, &format!("{}", at % 300_000));
    put_bytes(&mut event, 5, &part);
    put_text(&mut event, 6, "store");
    for name in NUMBERS.iter().chain(&TEXTS) {
        part.clear();
        value.clear();
        put_text(&mut part, 1, name);
        if NUMBERS.contains(name) {
            put_fixed64(&mut value, 2, ((at % 1000) as f64 / 100.0).to_bits());
        } else {
            put_text(&mut value, 4, &format!("{name}-{}", at % 5000));
        }
        put_bytes(&mut part, 2, &value);
        put_bytes(&mut event, 7, &part);
    }
    let mut record = Vec::new();
    put_bytes(&mut record, 1, &event);
    record
}

fn request(from: usize) -> Vec<u8> {
    let mut request = Vec::new();
    for at in from..from + BATCH {
        put_bytes(&mut request, 2, &event(at));
    }
    request
}

/// Returns the CPU time of this thread in seconds, which other work on the machine does not affect. Linux only.
fn on_cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = stat.split(' ').next().and_then(|text| text.parse::<f64>().ok());
    nanoseconds.unwrap_or_default() / 1e9
}

fn main() -> Result<()> {
    let folder = std::env::temp_dir().join(format!("quanyu-ingest-speed-{}", std::process::id()));
    let open = || -> Result<Ingestor> {
        let log = |name: &str| LocalLog::create(&folder.join(name)).map(Arc::new);
        Ingestor::open(log("raw")?, log("rejects")?, &folder.join("keys"))
    };
    let ingestor = open()?;
    ingestor.put_schema(&schema().encode(), NOW)?;
    let requests: Vec<Vec<u8>> = (0..EVENTS).step_by(BATCH).map(request).collect();
    let bytes: usize = requests.iter().map(Vec::len).sum();
    for what in ["new events, durable", "all duplicates"] {
        let (began, busy) = (Instant::now(), on_cpu());
        for request in &requests {
            ingestor.ingest(request, NOW)?;
        }
        let (seconds, busy) = (began.elapsed().as_secs_f64(), on_cpu() - busy);
        let rate = |seconds: f64| EVENTS as f64 / seconds;
        let megabytes = bytes as f64 / 1e6 / seconds;
        println!(
            "{what}: {:.0} events/s ({megabytes:.0} MB/s), {:.0} a core",
            rate(seconds),
            rate(busy)
        );
    }
    drop(ingestor);
    let began = Instant::now();
    drop(open()?);
    println!("reopened in {:.2} s", began.elapsed().as_secs_f64());
    std::fs::remove_dir_all(&folder).map_err(quanyu_core::error::Error::io(folder))
}
