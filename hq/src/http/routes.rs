//! The paths, as `openapi.yaml` describes them.

use std::sync::Arc;

use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::limits::{FRAME_BYTES_MAX, UPLOAD_BYTES_MAX};
use amparo_seal::{from_bytes, to_bytes};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use data_encoding::BASE64;
use minicbor::{Decode, Encode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Problem;
use super::admission::Admission;
use super::body::{check, read};
use super::metrics::{Metrics, add};
use super::reply;
use super::worker::Worker;
use crate::relay::Proof;

/// The description of this server, as it is served.
pub const OPENAPI: &str = include_str!("../../openapi.yaml");

const CBOR: &str = "application/cbor";
const CBOR_SEQ: &str = "application/cbor-seq";
const JSON: &str = "application/json";
/// Bytes of a signed object but a letter, and of a question in JSON.
const SMALL_BYTES_MAX: usize = 16 * 1024;

/// What every request works with.
pub(super) struct Shared {
    pub(super) worker: Worker,
    pub(super) admission: Admission,
    pub(super) metrics: Arc<Metrics>,
}

type App = State<Arc<Shared>>;
type Answer = Result<Response, Problem>;

/// All paths.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    let work = Router::new()
        .route("/v1/exchange", post(exchange))
        .route("/v1/enrol", post(enrol))
        .route("/v1/pull", post(pull))
        .route("/v1/letter", post(letter))
        .route("/v1/log", get(log))
        .route("/v1/log/{size}", get(consistency))
        .route("/v1/log/inclusion", post(inclusion))
        .route("/ready", get(ready))
        .route_layer(from_fn_with_state(Arc::clone(&shared), admit));
    let free = Router::new()
        .route("/health", get(async || text("text/plain; charset=utf-8", "alive\n")))
        .route("/metrics", get(metrics))
        .route("/openapi.yaml", get(async || text("application/yaml", OPENAPI)));
    work.merge(free)
        .fallback(async || Problem::NoPath)
        .method_not_allowed_fallback(async || Problem::Method)
        .layer(from_fn_with_state(Arc::clone(&shared), count))
        .with_state(shared)
}

/// Counts every response by path and status.
async fn count(State(shared): App, request: Request, next: Next) -> Response {
    let route = match request.uri().path() {
        "/v1/exchange" => "exchange",
        "/v1/enrol" => "enrol",
        "/v1/pull" => "pull",
        "/v1/letter" => "letter",
        path if path == "/v1/log" || path.starts_with("/v1/log/") => "log",
        "/health" | "/ready" | "/metrics" | "/openapi.yaml" => "watch",
        _ => "other",
    };
    let mut response = next.run(request).await;
    shared.metrics.response(route, response.status().as_u16());
    response.headers_mut().insert("cache-control", HeaderValue::from_static("no-store"));
    response
}

/// Lets a request in, or tells it to come again.
async fn admit(State(shared): App, request: Request, next: Next) -> Answer {
    let _room = shared.admission.request()?;
    Ok(next.run(request).await)
}

fn text(kind: &'static str, body: impl Into<Body>) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static(kind))], body.into()).into_response()
}

async fn exchange(State(shared): App, request: Request) -> Answer {
    check(request.headers(), CBOR_SEQ, UPLOAD_BYTES_MAX)?;
    // A task of its own goes on when the caller hangs up: what came whole counts.
    let taken = tokio::spawn(async move {
        let upload = read(&shared.admission, request.into_body(), UPLOAD_BYTES_MAX).await?;
        let broken = upload.broken;
        let replies = shared.worker.exchange(upload).await;
        if broken.is_some() {
            add(&shared.metrics.broken, 1);
        }
        reply::replies(&shared.admission, broken.map_or(replies, Err)?)
    });
    Ok(text(CBOR_SEQ, taken.await.map_err(|_| Problem::Failed)??))
}

/// Reads a whole body of this kind and size.
async fn whole(shared: &Shared, request: Request, kind: &str, bytes_max: usize) -> Result<Vec<u8>, Problem> {
    check(request.headers(), kind, bytes_max)?;
    let upload = read(&shared.admission, request.into_body(), bytes_max).await?;
    upload.broken.map_or(Ok(upload.bytes), Err)
}

async fn object<T>(shared: &Shared, request: Request, bytes_max: usize) -> Result<T, Problem>
where
    T: Encode<()> + for<'b> Decode<'b, ()>,
{
    let bytes = whole(shared, request, CBOR, bytes_max).await?;
    from_bytes(&bytes).map_err(|_| Problem::Form)
}

fn encoded<T: Encode<()>>(value: &T) -> Result<Vec<u8>, Problem> {
    to_bytes(value).map_err(|_| Problem::Failed)
}

async fn enrol(State(shared): App, request: Request) -> Answer {
    let signed = object(&shared, request, SMALL_BYTES_MAX).await?;
    let certificate =
        shared.worker.ask(move |relay, storage, now_ms| relay.enrol(storage, &signed, now_ms)).await?;
    Ok(text(CBOR, encoded(&certificate)?))
}

async fn pull(State(shared): App, request: Request) -> Answer {
    let signed = object(&shared, request, SMALL_BYTES_MAX).await?;
    let page = shared.worker.ask(move |relay, storage, now_ms| relay.pull(storage, &signed, now_ms)).await?;
    Ok(text(CBOR, reply::body(&shared.admission, encoded(&page)?)?))
}

async fn letter(State(shared): App, request: Request) -> Answer {
    let signed = object(&shared, request, FRAME_BYTES_MAX).await?;
    shared.worker.ask(move |relay, storage, now_ms| relay.post(storage, &signed, now_ms)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn answer(value: &Value) -> Response {
    text(JSON, value.to_string())
}

async fn log(State(shared): App) -> Answer {
    let at = shared.worker.ask(|relay, storage, _| relay.checkpoint(storage)).await?;
    Ok(answer(&json!({ "size": at.size, "root": at.root })))
}

async fn consistency(State(shared): App, request: Request) -> Answer {
    let size = request.uri().path().rsplit('/').next().unwrap_or_default();
    // One spelling of each number.
    let size = size.parse::<u64>().ok().filter(|n| n.to_string() == size).ok_or(Problem::NoPath)?;
    let proof = shared.worker.ask(move |relay, storage, _| relay.prove_consistency(storage, size)).await?;
    let Proof { log, path } = proof.ok_or(Problem::Unknown)?;
    Ok(answer(&json!({ "size": log.size, "root": log.root, "proof": BASE64.encode(&path) })))
}

/// In a body and not in the path, so that no proxy writes it down.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    device: DeviceId,
    segment: Hash,
}

async fn inclusion(State(shared): App, request: Request) -> Answer {
    let bytes = whole(&shared, request, JSON, SMALL_BYTES_MAX).await?;
    let Named { device, segment } = serde_json::from_slice(&bytes).map_err(|_| Problem::Form)?;
    let (leaf, Proof { log, path }) =
        shared.worker.ask(move |relay, storage, _| relay.prove_segment(storage, device, &segment)).await?;
    Ok(answer(&json!({ "size": log.size, "root": log.root, "leaf": leaf, "proof": BASE64.encode(&path) })))
}

async fn ready(State(shared): App) -> Answer {
    shared.worker.ask(|relay, storage, _| relay.checkpoint(storage)).await?;
    Ok(text("text/plain; charset=utf-8", "ready\n"))
}

async fn metrics(State(shared): App) -> Response {
    let (requests, body_kib) = shared.admission.under_way();
    text("text/plain; version=0.0.4; charset=utf-8", shared.metrics.text(requests, body_kib))
}
