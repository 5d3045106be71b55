//! Keys of requests that outlive the process, for the API.

use crate::node::backend::NodeBackend;
use yagura_api::{ApiError, Earlier, Keyed, Repeats};
use yagura_event::{Clock, SystemClock};
use yagura_meta::{EarlierRow, KeyedRequest};

fn row(request: &Keyed) -> KeyedRequest {
    let Keyed { caller, key, digest } = request.clone();
    KeyedRequest { caller, key, digest }
}

fn earlier(row: EarlierRow) -> Earlier {
    let EarlierRow { digest, status, body } = row;
    Earlier { digest, status, body }
}

impl Repeats for NodeBackend {
    fn begin_keyed(&self, request: &Keyed) -> Result<Option<Earlier>, ApiError> {
        let known = self.people().begin_keyed(&row(request), SystemClock.now());
        known.map(|known| known.map(earlier)).map_err(ApiError::internal)
    }

    fn end_keyed(&self, request: &Keyed, status: u16, body: Option<&str>) -> Result<(), ApiError> {
        self.people().end_keyed(&row(request), status, body).map_err(ApiError::internal)
    }

    fn forget_keyed(&self, request: &Keyed) -> Result<(), ApiError> {
        self.people().forget_keyed(&row(request)).map_err(ApiError::internal)
    }
}
