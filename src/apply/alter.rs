//! What the loop asks of the machine, and whom it tells of its steps.

use crate::name::AbsPath;
use crate::plan::{Observe, State, Step};
use crate::resource::{How, Resource, Service};

/// How the loop changes the machine.
pub trait Alter: Observe {
    /// Makes `path` be as `state` says, as a whole or not at all. A power cut may undo it until
    /// [`sync`](Self::sync); the journal knows how to go back from there.
    ///
    /// # Errors
    /// What the system said. A folder that should go but is not empty is no error: it stays.
    fn put(&mut self, path: &AbsPath, state: &State) -> Result<(), AlterError>;
    /// Makes everything that [`put`](Self::put) did so far survive a power cut.
    ///
    /// # Errors
    /// What the system said.
    fn sync(&mut self) -> Result<(), AlterError> {
        Ok(())
    }
    /// Makes a group, user or service be as `state` says.
    ///
    /// # Errors
    /// What the system said.
    fn set(&mut self, thing: &Resource, _state: &State) -> Result<(), AlterError> {
        Err(AlterError {
            path: thing.name().to_owned(),
            why: "this is a tree and no machine".to_owned(),
        })
    }
    /// Learns anew who is there and which units there are.
    ///
    /// # Errors
    /// What the system said.
    fn refresh(&mut self) -> Result<(), AlterError> {
        Ok(())
    }
    /// Tells a service of a change, if it runs or should; says whether it was told.
    ///
    /// # Errors
    /// What the system said.
    fn wake(&mut self, _service: &Service, _how: How) -> Result<bool, AlterError> {
        Ok(false)
    }
    /// Waits, within bounds, until a service is up; gives a warning when it is up and not well.
    ///
    /// # Errors
    /// When it does not come up, with the last lines of its log.
    fn await_up(&mut self, _service: &Service) -> Result<Option<String>, AlterError> {
        Ok(None)
    }
    /// Has the kernel take the settings of a file that changed; what it refuses is a warning.
    fn kernel(&mut self, _file: &AbsPath) -> Option<String> {
        None
    }
    /// Removes what a killed `put` may have left beside a path.
    fn sweep(&mut self, path: &AbsPath);
    /// Fills a buffer with true randomness.
    fn random(&mut self, buffer: &mut [u8]);
}

/// A change that the system refused.
#[derive(Debug, thiserror::Error)]
#[error("`{path}`: {why}")]
pub struct AlterError {
    /// Where.
    pub path: String,
    /// What the system said.
    pub why: String,
}

/// Tells what happens while it happens.
pub trait Progress {
    /// Step `number` of `total` is about to be taken.
    fn step(&mut self, number: usize, total: usize, step: &Step);
    /// What somebody else wrote at `path` is kept at `backup`.
    fn kept(&mut self, path: &AbsPath, backup: &AbsPath);
    /// A failed apply takes this back: a path, or the name of a thing.
    fn back(&mut self, what: &str);
    /// A service is told of a change, or awaited.
    fn service(&mut self, name: &str, what: &str);
    /// Something is not as it should be, and no reason to stop.
    fn warn(&mut self, text: &str);
    /// A step failed or is left out, and the others are carried out all the same.
    fn failed(&mut self, id: &str, why: &str) {
        self.warn(&format!("{id}: {why}"));
    }
}
