// Package provider manages the callbacks that are registered at the provider, through the provider's API and official
// SDK: which URL it calls for which domain and app, for which events, and signed with which key.
//
// Callback is one registration of any of the four kinds, Client lists, creates, updates and deletes them, and Error is
// how a request failed, in words. Keys are masked wherever a Key is printed or encoded.
//
// One API serves each kind:
//
//	record      Live, /v1/{project}/record/callbacks: by domain and app, with an id, events and a signature type
//	stream      Live, /v1/{project}/notifications/publish: one for a domain, all its apps
//	snapshot    Live, /v1/{project}/stream/snapshot: part of what captures pictures, by domain and app
//	rtc-record  SparkRTC, /v2/apps/{app}/record-callback: one for an app
package provider
