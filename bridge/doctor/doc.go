// Package doctor compares the callbacks that are registered at the provider with what livebridge expects, and says what
// is wrong and what to do. Examine is a pure function over what others have found out: the provider's API, the probes
// that were sent through the public URLs, and what running instances report. Keys are compared by their ids.
package doctor
