//! Messages: alerts that stay until they are dismissed, and reports of success that go by themselves.

/// Seconds that a message that needs no attention is shown.
const PASSING: f64 = 4.0;
/// Alerts that are kept; of more, the oldest are dropped.
const MOST: usize = 8;

/// A sentence in the message row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The sentence.
    pub text: String,
    /// Whether it needs attention and stays until it is dismissed.
    pub is_alert: bool,
}

/// Alerts not yet dismissed, and the last message that passes.
#[derive(Debug, Default)]
pub struct Messages {
    alerts: Vec<Message>,
    passing: Option<Message>,
    /// When the passing message was first seen by a tick.
    since: Option<f64>,
}

impl Messages {
    /// The message to show: the passing one, which answers the last key, or else the newest alert.
    pub fn shown(&self) -> Option<&Message> {
        self.passing.as_ref().or(self.alerts.last())
    }

    /// Whether [`tick`](Self::tick) will change what is shown.
    pub fn is_passing(&self) -> bool {
        self.passing.is_some()
    }

    /// Shows a sentence until it is dismissed.
    pub(super) fn alert(&mut self, text: impl Into<String>) {
        let message = Message { text: text.into(), is_alert: true };
        self.alerts.retain(|alert| *alert != message);
        if self.alerts.len() == MOST {
            self.alerts.remove(0);
        }
        self.alerts.push(message);
        self.clear_passing();
    }

    /// Shows a sentence for four seconds.
    pub(super) fn inform(&mut self, text: impl Into<String>) {
        self.passing = Some(Message { text: text.into(), is_alert: false });
        self.since = None;
    }

    /// Takes the message shown away; whether there was one.
    pub(super) fn dismiss(&mut self) -> bool {
        let had_passing = self.clear_passing();
        had_passing || self.alerts.pop().is_some()
    }

    /// Drops the passing message once its time is over. `now` is in seconds since any fixed moment.
    pub(super) fn tick(&mut self, now: f64) {
        if self.passing.is_some() {
            let since = *self.since.get_or_insert(now);
            if now - since >= PASSING {
                self.clear_passing();
            }
        }
    }

    fn clear_passing(&mut self) -> bool {
        self.since = None;
        self.passing.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(messages: &Messages) -> Option<&str> {
        messages.shown().map(|message| message.text.as_str())
    }

    #[test]
    fn success_passes_after_four_seconds_and_an_alert_stays_until_dismissed() {
        let mut messages = Messages::default();
        messages.alert("the disk is full");
        messages.inform("saved");
        messages.tick(90.0);
        messages.tick(93.9);
        assert_eq!(text(&messages), Some("saved"));
        messages.tick(94.0);
        assert_eq!(text(&messages), Some("the disk is full"));
        assert!(!messages.is_passing());
        messages.tick(999.0);
        assert!(messages.shown().is_some_and(|message| message.is_alert));
        assert!(messages.dismiss());
        assert_eq!(text(&messages), None);
        assert!(!messages.dismiss());
    }

    #[test]
    fn a_newer_alert_comes_first_and_the_older_one_after_it_is_dismissed() {
        let mut messages = Messages::default();
        messages.inform("saved");
        for alert in ["first", "second", "first"] {
            messages.alert(alert);
        }
        let mut seen = Vec::new();
        while let Some(message) = messages.shown() {
            seen.push(message.text.clone());
            messages.dismiss();
        }
        assert_eq!(seen, ["first", "second"]);
        for number in 0..100 {
            messages.alert(number.to_string());
        }
        assert_eq!((messages.alerts.len(), text(&messages)), (MOST, Some("99")));
    }
}
