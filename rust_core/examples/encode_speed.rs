//! Measures how fast rows are encoded as requests. Run with `cargo run --release --example encode_speed`.

use std::sync::Arc;
use std::time::Instant;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, TimestampMicrosecondArray};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::ArrowError;
use quanyu_core::encode::RecordEncoder;
use quanyu_core::error::{Error, Result};

const ROWS: i64 = 1_000_000;
const MAPPING: &[u8] =
    br#"{"records": "event", "source": "tills", "id": "{basket}-{product}", "type": "purchase", "occurred_at": "at",
    "identifiers": [{"namespace": "card", "value": "{household}"}],
    "properties": {"product": {"column": "product", "as": "text"}, "quantity": "quantity", "amount": "amount"}}"#;

fn stream() -> std::result::Result<Vec<u8>, ArrowError> {
    let ints = |each: fn(i64) -> i64| Arc::new((0..ROWS).map(each).collect::<Int64Array>()) as ArrayRef;
    let amounts = (0..ROWS)
        .map(|row| (row % 5000) as f64 / 100.0)
        .collect::<Float64Array>();
    let times = (0..ROWS).map(|row| Some(1_483_228_800_000_000 + row * 1_000_000));
    let batch = RecordBatch::try_from_iter([
        ("basket", ints(|row| 30_000_000_000 + row / 7)),
        ("product", ints(|row| 900_000 + row % 92_331)),
        ("household", ints(|row| row % 2469)),
        ("quantity", ints(|row| row % 4 + 1)),
        ("amount", Arc::new(amounts) as ArrayRef),
        ("at", Arc::new(times.collect::<TimestampMicrosecondArray>()) as ArrayRef),
    ])?;
    let mut out = Vec::new();
    let mut writer = StreamWriter::try_new(&mut out, &batch.schema())?;
    writer.write(&batch)?;
    writer.finish()?;
    drop(writer);
    Ok(out)
}

fn main() -> Result<()> {
    let stream = stream().map_err(|error| Error::Invalid(error.to_string()))?;
    let encoder = RecordEncoder::new(MAPPING, "shop")?;
    let began = Instant::now();
    let requests = encoder.encode(&stream, 0)?;
    let rate = ROWS as f64 / began.elapsed().as_secs_f64();
    println!("{rate:.0} rows/s in {} requests", requests.len());
    Ok(())
}
