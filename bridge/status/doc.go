// Package status shows what the service does: a page for people, which updates itself by server-sent events, and the
// same as JSON under /api/v1/, which openapi.json describes. Everything is read-only, and nothing shows a secret, a
// signature or a body.
//
// While nobody looks it costs one sample of the metrics every ten seconds, and a copy of lane and type of each
// published event. What is shown is gathered at most once a second however many look, and what takes long to gather,
// such as the open sessions of very many lanes, less often.
package status
