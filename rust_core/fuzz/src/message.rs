//! Mutates protobuf messages field by field, so that lengths stay valid and most results can be decoded.

use libfuzzer_sys::fuzzer_mutate;
use quanyu_core::proto::wire::{Reader, Wire, put_bytes, put_varint};

use crate::random::Random;

const NUMBERS: [u64; 10] = [
    0,
    1,
    2,
    1 << 32,
    1 << 32 | 1,
    999_999_999,
    1_700_000_000,
    i64::MAX as u64,
    i64::MIN as u64,
    u64::MAX,
];

/// For `fuzz_mutator!`: keeps the first byte, which selects the kind of the rest, and returns the new size.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut random = Random::new(seed);
    if size == 0 || random.below(50) == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    let new = changed(&data[1..size], &mut random);
    let kept = new.len().min(max_size - 1);
    data[1..=kept].copy_from_slice(&new[..kept]);
    kept + 1
}

/// Mutates bytes with libFuzzer's default mutator.
fn scrambled(bytes: &[u8]) -> Vec<u8> {
    let mut room = bytes.to_vec();
    room.resize(bytes.len() + 32, 0);
    let (size, end) = (bytes.len(), room.len());
    let size = fuzzer_mutate(&mut room, size, end);
    room.truncate(size);
    room
}

fn changed(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let fields = fields(bytes).filter(|fields| !fields.is_empty());
    let Some(fields) = fields.filter(|_| random.below(8) > 0) else {
        return scrambled(bytes);
    };
    let (at, what) = (random.below(fields.len()), random.below(10));
    let mut out = Vec::new();
    for (place, &(field, value)) in fields.iter().enumerate() {
        match what {
            _ if place != at => put(&mut out, field, value),
            0 => {}
            1 => {
                put(&mut out, field, value);
                put(&mut out, field, value);
            }
            2 => put_changed(&mut out, 1 + random.below(10) as u32, value, random),
            _ => put_changed(&mut out, field, value, random),
        }
    }
    out
}

fn fields(bytes: &[u8]) -> Option<Vec<(u32, Wire<'_>)>> {
    let (mut reader, mut fields) = (Reader::new(bytes), Vec::new());
    while let Some(field) = reader.field().ok()? {
        fields.push(field);
    }
    Some(fields)
}

fn put_changed(out: &mut Vec<u8>, field: u32, value: Wire, random: &mut Random) {
    let number = |before: u64, random: &mut Random| match random.below(3) {
        0 => random.of(&NUMBERS),
        1 => before ^ 1 << random.below(64),
        _ => before.wrapping_add(random.below(5) as u64).wrapping_sub(2),
    };
    match value {
        Wire::Varint(before) => put(out, field, Wire::Varint(number(before, random))),
        Wire::Fixed64(before) => put(out, field, Wire::Fixed64(number(before, random))),
        Wire::Fixed32(before) => put(out, field, Wire::Fixed32(number(u64::from(before), random) as u32)),
        Wire::Bytes(bytes) => put_bytes(out, field, &changed(bytes, random)),
    }
}

fn put(out: &mut Vec<u8>, field: u32, value: Wire) {
    let key = u64::from(field) << 3;
    match value {
        Wire::Bytes(bytes) => put_bytes(out, field, bytes),
        Wire::Varint(number) => {
            put_varint(out, key);
            put_varint(out, number);
        }
        Wire::Fixed64(number) => {
            put_varint(out, key | 1);
            out.extend(number.to_le_bytes());
        }
        Wire::Fixed32(number) => {
            put_varint(out, key | 5);
            out.extend(number.to_le_bytes());
        }
    }
}
