//! Draws values from a seed. There are few different values, so that ties and misses are common.

use std::collections::BTreeSet;

use crate::eval::tests::world::Val;
use crate::index::view::DAY_MS;
use crate::proto::schema::Type;

/// A SplitMix64 generator with this state.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Draws a number from 0 to `bound - 1`.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// Returns true with this probability.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// Draws one of the items.
    pub fn pick<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())].clone()
    }
}

/// The as-of of random plans, in ms.
pub const AS_OF: i64 = 20 * DAY_MS;
const TEXTS: [&str; 6] = ["pos", "app", "coffee", "tea", "上海", "Tea"];
pub const CHANNELS: [&str; 4] = ["pos", "app", "web", "till"];
pub const PRODUCTS: [&str; 5] = ["p1", "p2", "p3", "p4", "p5"];
pub const POINTS: [[f64; 2]; 3] = [[40.7, -74.0], [40.71, -74.0], [31.2, 121.5]];
/// Month-days (month * 100 + day), with both sides of the leap day.
pub const MONTH_DAYS: [u16; 5] = [101, 228, 229, 301, 1231];

/// Draws an instant in ms, up to three days after `AS_OF`.
pub fn instant(random: &mut Random) -> i64 {
    random.below(23) as i64 * DAY_MS + random.pick(&[0, 1, DAY_MS / 2, DAY_MS - 1])
}

/// Draws a number in millionths.
pub fn number(random: &mut Random) -> i64 {
    random.pick(&[
        0, 1_000_000, 2_000_000, -1_500_000, 10_500_000, 3_330_000, 10_000, 60_000_000,
    ])
}

/// Draws a value of a type.
pub fn val(random: &mut Random, kind: Type) -> Val {
    match kind {
        Type::Bool => Val::Bool(random.chance(50)),
        Type::Number | Type::Money => Val::Num(number(random)),
        Type::Text | Type::Enum => Val::Text(random.pick(&TEXTS).into()),
        Type::Instant => Val::Instant(instant(random)),
        Type::Date => Val::Date(random.below(1500) as i32 - 700),
        Type::MonthDay => Val::MonthDay(random.pick(&MONTH_DAYS)),
        Type::Set => Val::Set(
            (0..random.below(3))
                .map(|_| random.pick(&TEXTS).to_string())
                .collect::<BTreeSet<_>>(),
        ),
        Type::Map => {
            let kinds = [Type::Bool, Type::Number, Type::Text];
            let entry = |random: &mut Random| {
                let kind = random.pick(&kinds);
                (random.pick(&["q1", "q2", "q3"]).to_string(), val(random, kind))
            };
            Val::Map((0..random.below(4)).map(|_| entry(random)).collect())
        }
        Type::Point => Val::Point(random.pick(&POINTS)),
    }
}
