//! Arrays that are owned or memory-mapped.

use std::fs::File;
use std::io;
use std::ops::{Deref, Range};
use std::sync::Arc;

use bytemuck::CheckedBitPattern;
use memmap2::Mmap;

/// A file mapped for reading. The kernel reads its pages on access and can evict them.
pub struct MappedFile(Mmap);

impl MappedFile {
    /// Maps the whole file. Nobody may write to it or truncate it while it is mapped.
    pub fn of(file: &File) -> io::Result<Arc<MappedFile>> {
        // SAFETY: mapped files are never written once they have their name. Removing the name keeps the contents until the last
        // mapping is dropped.
        let map = unsafe { Mmap::map(file) }?;
        Ok(Arc::new(MappedFile(map)))
    }
}

impl Deref for MappedFile {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// An array that dereferences to a slice. A mapped array is copied on the first change.
#[derive(Clone)]
pub struct Buffer<T: 'static>(Storage<T>);

#[derive(Clone)]
enum Storage<T: 'static> {
    Owned(Vec<T>),
    Mapped {
        /// A slice of `_file`, which keeps the mapping alive.
        slice: &'static [T],
        _file: Arc<MappedFile>,
    },
}

impl<T: Copy> Buffer<T> {
    /// Returns bytes of a mapped file as an array; `None` if they are out of range, misaligned or not valid elements.
    pub fn mapped(file: &Arc<MappedFile>, bytes: Range<usize>) -> Option<Buffer<T>>
    where
        T: CheckedBitPattern,
    {
        let slice = bytemuck::checked::try_cast_slice(file.get(bytes)?).ok()?;
        // SAFETY: the slice does not move while the file beside it is alive, and it leaves this type only as a borrow.
        let slice = unsafe { std::mem::transmute::<&[T], &'static [T]>(slice) };
        let _file = file.clone();
        Some(Buffer(Storage::Mapped { slice, _file }))
    }

    /// Returns the array for changes; copies it first if it is mapped.
    pub fn to_mut(&mut self) -> &mut Vec<T> {
        if let Storage::Mapped { slice, .. } = &self.0 {
            self.0 = Storage::Owned(slice.to_vec());
        }
        match &mut self.0 {
            Storage::Owned(owned) => owned,
            Storage::Mapped { .. } => unreachable!("the array was copied above"),
        }
    }

    pub fn into_vec(mut self) -> Vec<T> {
        std::mem::take(self.to_mut())
    }

    /// Returns its bytes of memory besides the page cache.
    pub fn bytes_in_memory(&self) -> usize {
        match &self.0 {
            Storage::Owned(owned) => size_of::<T>() * owned.capacity(),
            Storage::Mapped { .. } => 0,
        }
    }
}

impl<T> Deref for Buffer<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        match &self.0 {
            Storage::Owned(owned) => owned,
            Storage::Mapped { slice, .. } => slice,
        }
    }
}

impl<T> From<Vec<T>> for Buffer<T> {
    fn from(owned: Vec<T>) -> Self {
        Buffer(Storage::Owned(owned))
    }
}

impl<T> FromIterator<T> for Buffer<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        Vec::from_iter(elements).into()
    }
}

impl<T> Default for Buffer<T> {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl<T: std::fmt::Debug> std::fmt::Debug for Buffer<T> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self[..].fmt(out)
    }
}

impl<'a, T> IntoIterator for &'a Buffer<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn mapped_file(bytes: &[u8]) -> Arc<MappedFile> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        MappedFile::of(&file).unwrap()
    }

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn a_mapped_array_reads_the_file_and_copies_on_write(
            bytes in prop::collection::vec(any::<u8>(), 1..99), from in 0..99usize, to in 0..99usize, new in any::<u16>()
        ) {
            let file = mapped_file(&bytes);
            let buffer = Buffer::<u16>::mapped(&file, from..to);
            let fits = from <= to && to <= bytes.len() && (to - from).is_multiple_of(2) && from.is_multiple_of(2);
            prop_assert_eq!(buffer.is_some(), fits);
            let Some(mut buffer) = buffer else { return Ok(()) };
            let mut expected: Vec<u16> =
                bytes[from..to].chunks(2).map(|two| u16::from_le_bytes([two[0], two[1]])).collect();
            let before = buffer.clone();
            drop(file);
            prop_assert_eq!(&before[..], &expected[..]);
            buffer.to_mut().push(new);
            prop_assert_eq!(&before[..], &expected[..]);
            expected.push(new);
            prop_assert_eq!(&buffer[..], &expected[..]);
        }
    }

    #[test]
    fn bytes_that_are_not_booleans_are_rejected() {
        assert!(Buffer::<bool>::mapped(&mapped_file(&[1, 0, 1]), 0..3).is_some());
        assert!(Buffer::<bool>::mapped(&mapped_file(&[1, 2, 1]), 0..3).is_none());
    }
}
