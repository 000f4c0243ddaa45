//! What the targets of `fuzz/` do, done here on bytes of chance and on spoiled copies of what is right.

use proptest::prelude::*;

use crate::bodies;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn chance(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        for (_, body) in bodies::ALL {
            body(&bytes);
        }
    }

    #[test]
    fn spoiled(which in 0..bodies::SEEDS.len(), at: usize, with in proptest::collection::vec(any::<u8>(), 0..6), cut in 0..6usize) {
        let mut bytes = bodies::SEEDS[which].as_bytes().to_vec();
        let at = at % (bytes.len() + 1);
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, with);
        for (_, body) in bodies::ALL {
            body(&bytes);
        }
    }
}
