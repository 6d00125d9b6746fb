//! Persons: their ids and aliases.

use super::nodes::NONE;

/// The number of partitions that receive new persons.
const OPEN: usize = 16;

/// A person or an alias.
pub struct Person {
    /// The partition in the high 32 bits, the ordinal in the low 32 bits.
    pub id: u64,
    /// The person itself, or the older person into which it was merged.
    parent: u32,
    /// The first and last member and the number of members; only valid if it is not an alias.
    pub head: u32,
    pub tail: u32,
    pub size: u32,
    /// The earliest member, by order of arrival.
    pub anchor: u32,
}

/// All persons, numbered in order of creation. An id is never reused.
pub struct Persons {
    persons: Vec<Person>,
    /// `ordinals[partition - 1][ordinal]` is the number of a person.
    ordinals: Vec<Vec<u32>>,
    open: [u32; OPEN],
    capacity: u32,
    merged: u32,
}

impl Persons {
    /// Returns an empty list. `capacity` is the size of a partition.
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

    /// Returns the number of aliases.
    pub fn merged(&self) -> u32 {
        self.merged
    }

    pub fn get(&self, person: u32) -> &Person {
        &self.persons[person as usize]
    }

    pub fn get_mut(&mut self, person: u32) -> &mut Person {
        &mut self.persons[person as usize]
    }

    /// Returns the number of the person or alias with an id.
    pub fn with_id(&self, id: u64) -> Option<u32> {
        let partition = ((id >> 32) as usize).checked_sub(1)?;
        self.ordinals.get(partition)?.get(id as u32 as usize).copied()
    }

    /// Creates a person without members in the next open partition, round robin.
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

    /// Returns the person that a person or alias is now.
    pub fn root(&self, mut person: u32) -> u32 {
        while self.get(person).parent != person {
            person = self.get(person).parent;
        }
        person
    }

    /// Like `root`, with path compression (union-find).
    pub fn root_compressing_path(&mut self, mut person: u32) -> u32 {
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

    /// Makes `loser` an alias of `winner`; neither is one yet. The caller moves the members.
    pub fn redirect(&mut self, loser: u32, winner: u32) {
        self.get_mut(loser).parent = winner;
        self.merged += 1;
    }

    /// Makes a person or alias an alias of another person, or a person again.
    pub fn reparent(&mut self, person: u32, home: u32) {
        let was_alias = self.get(person).parent != person;
        self.get_mut(person).parent = home;
        self.merged += u32::from(home != person);
        self.merged -= u32::from(was_alias);
    }

    /// Removes all members.
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
