//! How long records are kept.

use serde::{Deserialize, Serialize};
use yagura_event::TenantName;
use yagura_event::time::{DAY, parse_rfc3339};
use yagura_lake::{Hold, Keep, Retention};

/// Days that records are kept, counted from receipt.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionConfig {
    /// For records of which nothing else is said; 0 is for ever.
    pub days: u32,
    /// For tenants and classes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keep: Vec<KeepConfig>,
    /// What stays whatever else is said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hold: Vec<HoldConfig>,
}

/// Days that a tenant's records, or those of a class, are kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeepConfig {
    /// The tenant; all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The number of an OCSF class; all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<u32>,
    /// Days; 0 is for ever.
    pub days: u32,
}

/// A legal hold.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldConfig {
    /// Why: a case, an order.
    pub reason: String,
    /// The tenant; all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// First day of receipt (UTC), as 2026-01-31; all before where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Last day of receipt; all after where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

impl RetentionConfig {
    /// What the tables are told.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn retention(&self) -> Result<Retention, String> {
        let days = |days: u32| Some(days).filter(|days| *days > 0);
        let mut keeps = vec![Keep { tenant: None, class: None, days: days(self.days) }];
        for keep in &self.keep {
            if keep.tenant.is_none() && keep.class.is_none() {
                return Err("retention.keep: tenant or class is missing; retention.days is for \
                            all others"
                    .to_owned());
            }
            let tenant = tenant("retention.keep", keep.tenant.as_deref())?;
            let new = Keep { tenant, class: keep.class, days: days(keep.days) };
            if keeps.iter().any(|old| (&old.tenant, old.class) == (&new.tenant, new.class)) {
                return Err(format!(
                    "retention.keep: two entries for tenant {} and class {}",
                    keep.tenant.as_deref().unwrap_or("(all)"),
                    keep.class.map_or("(all)".to_owned(), |class| class.to_string()),
                ));
            }
            keeps.push(new);
        }
        let hold = |hold: &HoldConfig| {
            let wrong = |what: String| format!("retention.hold {:?}: {what}", hold.reason);
            let day = |text: &Option<String>, absent: i32| match text {
                None => Ok(absent),
                Some(text) => day(text)
                    .ok_or_else(|| wrong(format!("{text:?} is not a day such as 2026-01-31"))),
            };
            let (from, until) = (day(&hold.from, i32::MIN)?, day(&hold.until, i32::MAX)?);
            if from > until {
                return Err(wrong("from is after until, so it would hold nothing".to_owned()));
            }
            Ok(Hold { tenant: tenant("retention.hold", hold.tenant.as_deref())?, from, until })
        };
        let holds = self.hold.iter().map(hold).collect::<Result<Vec<_>, String>>()?;
        Ok(Retention::new(keeps, holds))
    }
}

fn tenant(key: &str, name: Option<&str>) -> Result<Option<String>, String> {
    let check = |name: &str| TenantName::new(name).map_err(|e| format!("{key}: {e}"));
    name.map(|name| check(name).map(|tenant| tenant.as_str().to_owned())).transpose()
}

/// Days since 1970.
fn day(text: &str) -> Option<i32> {
    let midnight = parse_rfc3339(&format!("{text}T00:00:00Z"))?;
    i32::try_from(midnight.div_euclid(DAY)).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_would_keep_or_hold_nothing_is_refused() {
        for (text, word) in [
            ("[[keep]]\ndays = 3", "tenant or class"),
            ("[[keep]]\ntenant = \"A B\"\ndays = 3", "retention.keep: "),
            ("[[keep]]\nclass = 1\ndays = 3\n[[keep]]\nclass = 1\ndays = 4", "two entries"),
            ("[[hold]]\nreason = \"x\"\nfrom = \"2026-13-01\"", "is not a day"),
            ("[[hold]]\nreason = \"x\"\nfrom = \"2026-02-01\"\nuntil = \"2026-01-31\"", "after"),
            ("[[hold]]\nreason = \"x\"\ntenant = \"\"", "retention.hold: "),
        ] {
            let config: RetentionConfig = toml::from_str(text).unwrap();
            let error = config.retention().unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
        assert!(toml::from_str::<RetentionConfig>("[[hold]]\ntenant = \"a\"").is_err());
        assert!(toml::from_str::<RetentionConfig>("days = -1").is_err());
        assert!(RetentionConfig::default().retention().is_ok());
    }
}
