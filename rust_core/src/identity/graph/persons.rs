//! Persons: their ids, and who became whose alias.

use super::nodes::NONE;

/// Partitions open to new persons at any time.
const OPEN: usize = 16;

pub struct Person {
    /// Partition in the high 32 bits, ordinal in the low.
    pub id: u64,
    /// Itself, or an older person it was merged into.
    parent: u32,
    /// Of a person that is no alias: the first and last of its members, and how many.
    pub head: u32,
    pub tail: u32,
    pub size: u32,
    /// Its earliest member, by order of arrival.
    pub anchor: u32,
}

/// Persons are numbered in order of creation; ids are given out and never taken back.
pub struct Persons {
    persons: Vec<Person>,
    /// `ordinals[partition - 1][ordinal]` is a person's number.
    ordinals: Vec<Vec<u32>>,
    open: [u32; OPEN],
    capacity: u32,
    merged: u32,
}

impl Persons {
    /// `capacity`: people a partition holds.
    pub fn new(capacity: u32) -> Self {
        let open = std::array::from_fn(|slot| slot as u32 + 1);
        Persons {
            persons: Vec::new(),
            ordinals: vec![Vec::new(); OPEN],
            open,
            capacity,
            merged: 0,
        }
    }

    pub fn len(&self) -> usize {
        self.persons.len()
    }

    /// How many are aliases.
    pub fn merged(&self) -> u32 {
        self.merged
    }

    pub fn get(&self, person: u32) -> &Person {
        &self.persons[person as usize]
    }

    pub fn get_mut(&mut self, person: u32) -> &mut Person {
        &mut self.persons[person as usize]
    }

    /// The number of the person or alias with an id.
    pub fn with_id(&self, id: u64) -> Option<u32> {
        let partition = ((id >> 32) as usize).checked_sub(1)?;
        self.ordinals.get(partition)?.get(id as u32 as usize).copied()
    }

    /// A person without members yet, in the next open partition in turn.
    pub fn create(&mut self) -> u32 {
        let person = self.persons.len() as u32;
        let slot = person as usize % OPEN;
        if self.ordinals[self.open[slot] as usize - 1].len() == self.capacity as usize {
            self.ordinals.push(Vec::new());
            self.open[slot] = self.ordinals.len() as u32;
        }
        let partition = self.open[slot];
        let ordinals = &mut self.ordinals[partition as usize - 1];
        let id = u64::from(partition) << 32 | ordinals.len() as u64;
        ordinals.push(person);
        self.persons.push(Person {
            id,
            parent: person,
            head: NONE,
            tail: NONE,
            size: 0,
            anchor: NONE,
        });
        person
    }

    /// Whom a person or alias is now.
    pub fn root(&self, mut person: u32) -> u32 {
        while self.get(person).parent != person {
            person = self.get(person).parent;
        }
        person
    }

    /// The same, shortening the way for the next one.
    pub fn shorten(&mut self, mut person: u32) -> u32 {
        loop {
            let parent = self.get(person).parent;
            let above = self.get(parent).parent;
            if parent == above {
                return parent;
            }
            self.get_mut(person).parent = above;
            person = above;
        }
    }

    /// Makes `loser` an alias of `winner`; neither is one yet. Its members are the caller's to move.
    pub fn redirect(&mut self, loser: u32, winner: u32) {
        self.get_mut(loser).parent = winner;
        self.merged += 1;
    }

    /// Makes a person or alias an alias of another person, or a person again.
    pub fn rehome(&mut self, person: u32, home: u32) {
        let was_alias = self.get(person).parent != person;
        self.get_mut(person).parent = home;
        self.merged += u32::from(home != person);
        self.merged -= u32::from(was_alias);
    }

    /// Nobody is a member any more.
    pub fn empty(&mut self, person: u32) {
        let person = self.get_mut(person);
        (person.head, person.tail, person.size, person.anchor) = (NONE, NONE, 0, NONE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_partition_is_sealed_and_another_opened() {
        let mut persons = Persons::new(3);
        let mut create = |_| {
            let person = persons.create();
            persons.get(person).id
        };
        let ids: Vec<u64> = (0..OPEN * 7 + 5).map(&mut create).collect();
        for (person, &id) in ids.iter().enumerate() {
            assert!((id as u32) < 3, "ordinal within its partition");
            let partition = (person / OPEN / 3 * OPEN + person % OPEN + 1) as u64;
            assert_eq!(id >> 32, partition);
            assert_eq!(persons.with_id(id), Some(person as u32));
        }
        for unknown in [0, 1, 1 << 32 | 3, u64::MAX, 0xffff << 32] {
            assert_eq!(persons.with_id(unknown), None);
        }
    }
}
