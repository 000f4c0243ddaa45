//! Figures for Prometheus, in its text format (version 0.0.4). Labels are words of ours, never
//! something typed, so that their number is bounded.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Kinds of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Public,
    Account,
    Admin,
    Static,
    Internal,
    Unmatched,
}

impl Class {
    const WORDS: [&'static str; 6] = [
        "public",
        "account",
        "admin",
        "static",
        "internal",
        "unmatched",
    ];

    /// The kind of a path without the prefix.
    pub(super) fn of(path: Option<&str>) -> Self {
        match path.map(|path| path.trim_start_matches('/').split('/').next().unwrap_or("")) {
            None => Self::Unmatched,
            Some("account" | "again") => Self::Account,
            Some("admin") => Self::Admin,
            Some("static") => Self::Static,
            Some(_) => Self::Public,
        }
    }
}

/// How a sign-in ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Accepted,
    Refused,
    Limited,
    Busy,
    Failed,
}

impl Outcome {
    const WORDS: [&'static str; 5] = ["accepted", "refused", "limited", "busy", "failed"];

    /// What the status of an answer to a sign-in says.
    pub(super) fn of(status: u16) -> Self {
        match status {
            200..=299 | 422 | 400..=404 => Self::Refused,
            300..=399 => Self::Accepted,
            429 => Self::Limited,
            503 => Self::Busy,
            _ => Self::Failed,
        }
    }
}

/// Who asked for a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Via {
    Web,
    Prosody,
}

impl Via {
    const WORDS: [&'static str; 2] = ["web", "prosody"];
}

/// Upper bounds of the histogram's buckets, in microseconds.
const BUCKETS: [u64; 11] = [
    500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000,
];

#[derive(Debug, Default)]
struct Counts {
    /// By the hundreds of the status, 1xx to 5xx.
    statuses: [AtomicU64; 5],
    /// How many ended below each bound, not yet summed up; the last is for all others.
    buckets: [AtomicU64; BUCKETS.len() + 1],
    micros: AtomicU64,
}

/// What is counted in this process.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    requests: [Counts; Class::WORDS.len()],
    sign_ins: [[AtomicU64; Outcome::WORDS.len()]; Via::WORDS.len()],
    connections: AtomicU64,
    database_errors: AtomicU64,
    deliveries: [[AtomicU64; 3]; 2],
}

/// What became of something to deliver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    Sent,
    Postponed,
    Refused,
}

impl Delivery {
    const WORDS: [&'static str; 3] = ["sent", "postponed", "refused"];
}

/// What is asked of others when the figures are looked at: name, help, and values with their labels.
pub(super) struct Gauge {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) values: Vec<(String, f64)>,
}

impl Metrics {
    pub(super) fn request(&self, class: Class, status: u16, time: Duration) {
        let counts = &self.requests[class as usize];
        let hundreds = usize::from(status / 100).clamp(1, 5) - 1;
        counts.statuses[hundreds].fetch_add(1, Relaxed);
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let bucket = BUCKETS.iter().position(|bound| micros <= *bound);
        counts.buckets[bucket.unwrap_or(BUCKETS.len())].fetch_add(1, Relaxed);
        counts.micros.fetch_add(micros, Relaxed);
    }

    pub(super) fn sign_in(&self, via: Via, outcome: Outcome) {
        self.sign_ins[via as usize][outcome as usize].fetch_add(1, Relaxed);
    }

    pub(super) fn database_error(&self) {
        self.database_errors.fetch_add(1, Relaxed);
    }

    pub(super) fn delivery(&self, is_mail: bool, outcome: Delivery) {
        self.deliveries[usize::from(!is_mail)][outcome as usize].fetch_add(1, Relaxed);
    }

    pub(super) fn connected(&self) {
        self.connections.fetch_add(1, Relaxed);
    }

    pub(super) fn disconnected(&self) {
        self.connections.fetch_sub(1, Relaxed);
    }

    /// Everything, as Prometheus reads it.
    pub(super) fn show<'g>(&self, gauges: impl Iterator<Item = &'g Gauge>) -> String {
        let mut page = Page::default();
        page.head(
            "jitsi_accounts_requests_total",
            "counter",
            "Requests answered.",
        );
        for (class, counts) in Class::WORDS.iter().zip(&self.requests) {
            for (hundreds, count) in counts.statuses.iter().enumerate() {
                let labels = format!("class=\"{class}\",status=\"{}xx\"", hundreds + 1);
                page.some("jitsi_accounts_requests_total", &labels, count);
            }
        }
        page.histogram(&self.requests);
        page.head(
            "jitsi_accounts_sign_ins_total",
            "counter",
            "Passwords tried, by outcome.",
        );
        for (via, outcomes) in Via::WORDS.iter().zip(&self.sign_ins) {
            for (outcome, count) in Outcome::WORDS.iter().zip(outcomes) {
                let labels = format!("via=\"{via}\",outcome=\"{outcome}\"");
                page.all("jitsi_accounts_sign_ins_total", &labels, count);
            }
        }
        page.head(
            "jitsi_accounts_deliveries_total",
            "counter",
            "Mails and webhooks tried, by outcome.",
        );
        for (kind, outcomes) in ["mail", "webhook"].iter().zip(&self.deliveries) {
            for (outcome, count) in Delivery::WORDS.iter().zip(outcomes) {
                let labels = format!("kind=\"{kind}\",outcome=\"{outcome}\"");
                page.all("jitsi_accounts_deliveries_total", &labels, count);
            }
        }
        page.head(
            "jitsi_accounts_database_errors_total",
            "counter",
            "Times that the database did not answer.",
        );
        page.all(
            "jitsi_accounts_database_errors_total",
            "",
            &self.database_errors,
        );
        page.head(
            "jitsi_accounts_connections",
            "gauge",
            "Connections that are open.",
        );
        page.all("jitsi_accounts_connections", "", &self.connections);
        for gauge in gauges {
            page.head(gauge.name, "gauge", gauge.help);
            for (labels, value) in &gauge.values {
                page.line(gauge.name, labels, &value.to_string());
            }
        }
        page.0
    }
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &str, value: &str) {
        let _ = if labels.is_empty() {
            writeln!(self.0, "{name} {value}")
        } else {
            writeln!(self.0, "{name}{{{labels}}} {value}")
        };
    }

    fn all(&mut self, name: &str, labels: &str, count: &AtomicU64) {
        self.line(name, labels, &count.load(Relaxed).to_string());
    }

    /// Only what has been counted at all.
    fn some(&mut self, name: &str, labels: &str, count: &AtomicU64) {
        if count.load(Relaxed) > 0 {
            self.all(name, labels, count);
        }
    }

    fn histogram(&mut self, requests: &[Counts]) {
        let name = "jitsi_accounts_request_seconds";
        self.head(
            name,
            "histogram",
            "From the head of a request to the head of its answer.",
        );
        for (class, counts) in Class::WORDS.iter().zip(requests) {
            let mut sum = 0;
            let bounds = BUCKETS.iter().map(|micros| seconds(*micros));
            let bounds = bounds.chain(["+Inf".to_owned()]);
            let lines: Vec<(String, u64)> = bounds
                .zip(&counts.buckets)
                .map(|(bound, count)| {
                    sum += count.load(Relaxed);
                    (format!("class=\"{class}\",le=\"{bound}\""), sum)
                })
                .collect();
            if sum == 0 {
                continue;
            }
            for (labels, count) in lines {
                self.line(&format!("{name}_bucket"), &labels, &count.to_string());
            }
            let labels = format!("class=\"{class}\"");
            let total = seconds(counts.micros.load(Relaxed));
            self.line(&format!("{name}_sum"), &labels, &total);
            self.line(&format!("{name}_count"), &labels, &sum.to_string());
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a figure for a diagram")]
fn seconds(micros: u64) -> String {
    (micros as f64 / 1e6).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_add_up_and_labels_are_ours() {
        let metrics = Metrics::default();
        for micros in [10, 400, 3000, 60_000_000] {
            metrics.request(Class::Admin, 200, Duration::from_micros(micros));
        }
        metrics.request(Class::of(None), 404, Duration::from_micros(10));
        metrics.sign_in(Via::Prosody, Outcome::Limited);
        let gauge = Gauge {
            name: "jitsi_accounts_accounts",
            help: "Accounts.",
            values: vec![("state=\"active\"".into(), 3.0)],
        };
        let page = metrics.show([gauge].iter());
        for line in [
            "jitsi_accounts_requests_total{class=\"admin\",status=\"2xx\"} 4",
            "jitsi_accounts_requests_total{class=\"unmatched\",status=\"4xx\"} 1",
            "jitsi_accounts_request_seconds_bucket{class=\"admin\",le=\"0.0005\"} 2",
            "jitsi_accounts_request_seconds_bucket{class=\"admin\",le=\"5\"} 3",
            "jitsi_accounts_request_seconds_bucket{class=\"admin\",le=\"+Inf\"} 4",
            "jitsi_accounts_request_seconds_sum{class=\"admin\"} 60.00341",
            "jitsi_accounts_request_seconds_count{class=\"admin\"} 4",
            "jitsi_accounts_sign_ins_total{via=\"prosody\",outcome=\"limited\"} 1",
            "jitsi_accounts_accounts{state=\"active\"} 3",
        ] {
            assert!(page.lines().any(|found| found == line), "{line}\n{page}");
        }
    }

    #[test]
    fn classes_of_paths() {
        let class = |path| Class::of(Some(path));
        assert_eq!(class("/sign-up"), Class::Public);
        assert_eq!(class("/account/password"), Class::Account);
        assert_eq!(class("/admin/users/{id}"), Class::Admin);
        assert_eq!(class("/"), Class::Public);
        assert_eq!(Class::of(None), Class::Unmatched);
    }
}
