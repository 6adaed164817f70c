// Package providertest plays the provider: an http.Handler with the API that registers callbacks, and streams whose
// callbacks go to the URLs that are registered, signed with the keys that are registered.
//
// Requests are authenticated as the provider does it (SDK-HMAC-SHA256), so that its official SDK is a client. What the
// provider does not document is played in the way that is worse for its client: an update without a key removes the
// key, keys of recordings are never returned, those of stream status and SparkRTC are.
package providertest
