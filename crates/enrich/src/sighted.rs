//! Looks values up that were sighted in events, one by one: hunting over the past.

use crate::digest;
use crate::indicators::Indicators;
use crate::kind::Kind;
use crate::matcher::{Hit, Place};
use crate::url;
use yagura_event::ColumnId;

/// Memory that is used again from value to value.
#[derive(Default)]
pub struct SightedScratch {
    memory: String,
    hits: Vec<Hit>,
}

/// An indicator that a value is, or belongs to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SightedHit {
    /// What kind of indicator.
    pub kind: Kind,
    /// The indicator in its one form.
    pub indicator: String,
    /// The list that names it.
    pub list: String,
    /// What the list calls it; may be empty.
    pub name: String,
}

impl Indicators {
    /// The indicators that a sighted value hits: `kind` is the sighting's (`ip`, `domain`, `host`,
    /// `email`, `hash`; others hit none). Validity is not looked at, nor are URLs, which no
    /// sighting holds: see [`Self::url_hits`].
    pub fn sighted_hits(
        &self,
        kind: &str,
        value: &str,
        scratch: &mut SightedScratch,
    ) -> Vec<SightedHit> {
        let SightedScratch { memory, hits } = scratch;
        hits.clear();
        let place = Place { column: ColumnId::SRC_IP, seen: value };
        match kind {
            "ip" => self.ip(value, place, hits),
            "domain" | "host" => self.name(value, place, memory, hits),
            "email" => self.email(value, place, memory, hits),
            "hash" if digest::kind_of(value.len()).is_some() => {
                self.digest(value, place, memory, hits);
            }
            _ => {}
        }
        self.described(hits)
    }

    /// The URL indicators that cover a URL; one that begins with `/` is of `host`.
    pub fn url_hits(
        &self,
        text: &str,
        host: Option<&str>,
        scratch: &mut SightedScratch,
    ) -> Vec<SightedHit> {
        let SightedScratch { memory, hits } = scratch;
        hits.clear();
        let place = Place { column: ColumnId::URL_STRING, seen: text };
        let host = host.filter(|_| text.starts_with('/'));
        if let Some(parts) = url::normal(text, host, memory) {
            self.covering(&parts, place, hits);
        }
        self.described(hits)
    }

    fn described(&self, hits: &[Hit]) -> Vec<SightedHit> {
        let mut all: Vec<SightedHit> = hits
            .iter()
            .filter_map(|hit| {
                let said = self.said.get(hit.said as usize)?;
                let list = self.lists.get(said.list as usize).cloned().unwrap_or_default();
                let (indicator, name) = (hit.value.clone(), said.name.to_string());
                Some(SightedHit { kind: hit.kind, indicator, list, name })
            })
            .collect();
        all.sort();
        all.dedup();
        all
    }
}
