// Package probe is the signed probe: a request of our own that goes the way of a callback, through the public URL, and
// proves that a service with the right key, domains and apps receives what is sent there.
//
// A probe is a POST on a route of callbacks with one JSON object that no callback can be:
//
//	{"livebridge_probe":{"kind":"stream","domain":"push.example.com","app":"live","time":1790000000,
//	                     "nonce":"…","sign":"…"}}
//
// The service drops it and answers 200 with a proof that only a holder of the same key can make of this nonce:
//
//	{"status":1,"result":"probe","key":"<id of the key>","proof":"…"}
//
// How both are signed, and why neither can stand for a callback, is in signature.ProbeClaim. A probe that is repeated
// within signature.ProbeMaxAge is answered again; there is nothing else that it could cause.
package probe
