//! Stopping a run from outside.

use tokio::sync::watch;

/// Asks a run to stop.
#[derive(Debug)]
pub struct CancelSwitch(watch::Sender<bool>);

/// Whether somebody wants a run to stop.
#[derive(Clone, Debug)]
pub struct Cancel(Option<watch::Receiver<bool>>);

impl CancelSwitch {
    /// A switch and what it switches.
    #[must_use]
    pub fn new() -> (Self, Cancel) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Cancel(Some(receiver)))
    }

    /// Asks for it. The statement that runs is broken off; its transaction is taken back.
    pub fn ask(&self) {
        self.0.send_replace(true);
    }
}

impl Cancel {
    /// For runs that nobody stops.
    #[must_use]
    pub fn never() -> Self {
        Self(None)
    }

    /// Whether it was asked for.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.0.as_ref().is_some_and(|receiver| *receiver.borrow())
    }

    /// Returns once it is asked for, which may be never.
    pub async fn asked(&mut self) {
        let switched = match &mut self.0 {
            Some(receiver) => receiver.wait_for(|asked| *asked).await.is_ok(),
            None => false,
        };
        if !switched {
            std::future::pending::<()>().await;
        }
    }
}
