package provider

import (
	"slices"
	"strings"

	"livebridge/bridge"
)

// Wildcard is the App of a callback for every app that has no callback of its own.
const Wildcard = "*"

// Callback is one callback as it is registered at the provider, or as it is wanted. It is a plain value; Place says
// what it is registered for, the other fields what the provider does.
type Callback struct {
	Place

	// ID is the provider's id of a recording callback, empty for the other kinds and before it is registered.
	ID string
	// URL is what the provider calls: http or https, without a query. Empty: it calls nothing.
	URL string
	// Key signs the callbacks. Empty is no key, unless KeyHidden.
	Key Key
	// KeyHidden says that the provider does not tell the key, nor whether there is one: recordings of Live.
	KeyHidden bool
	// SignType is how recordings of Live are signed; empty for the other kinds.
	SignType SignType
	// Events are what recordings of Live are called for, see RecordEvents; empty for the other kinds.
	Events []string
	// Area is where the receiver of stream status is, empty for the provider's choice and for the other kinds.
	Area Area
	// Pictures is how snapshots are taken, since the provider keeps that in one object; nil for the other kinds.
	Pictures *Pictures
	// Created and Updated are UTC times as the provider writes them (recordings of Live), or empty.
	Created, Updated string
}

// Place is what a callback is registered for. Two callbacks of one place are in conflict.
type Place struct {
	// Kind is the kind of callback.
	Kind bridge.Kind
	// Domain is the ingest domain, in lower case; empty for SparkRTC.
	Domain string
	// App is the app's name, or Wildcard: recordings and snapshots; SparkRTC: the app's id. Stream status has none, it is
	// for every app of the domain.
	App string
}

// String returns the place for people, such as "record push.example.com/live".
func (p Place) String() string {
	text := p.Domain
	if p.Domain != "" && p.App != "" {
		text += "/"
	}
	return strings.TrimSpace(p.Kind.String() + " " + text + p.App)
}

// Compare orders places by kind, domain and app.
func (p Place) Compare(other Place) int {
	if p.Kind != other.Kind {
		return int(p.Kind) - int(other.Kind)
	}
	if order := strings.Compare(p.Domain, other.Domain); order != 0 {
		return order
	}
	return strings.Compare(p.App, other.App)
}

// SignType is how recordings of Live are signed.
type SignType string

// The signature types. MD5 signs no field of a message: one captured message lets anyone forge any other.
const (
	SignHMAC SignType = "HMACSHA256"
	SignMD5  SignType = "MD5"
)

// Area is where the receiver of stream status is.
type Area string

// The areas.
const (
	AreaMainland Area = "mainland_china"
	AreaOutside  Area = "outside_mainland_china"
)

// Pictures is how the provider takes the snapshots of a domain and app and where it puts them.
type Pictures struct {
	// Interval is the time between two pictures, 5 to 3600 seconds.
	Interval int
	// Overwrite says that a picture replaces the one before it; otherwise all are kept.
	Overwrite bool
	// Bucket, Location and Object are the OBS bucket, its region and the path in it.
	Bucket, Location, Object string
	// Extra holds the settings of a registered configuration that have no field here, as the provider names them. They
	// are sent back unchanged on update.
	Extra map[string]string
}

// recordEvents are the events of recordings in the order in which they happen. The SDK's enumeration lacks
// RECORD_START.
var recordEvents = []string{"RECORD_START", "RECORD_NEW_FILE_START", "RECORD_FILE_COMPLETE", "RECORD_OVER",
	"RECORD_FAILED"}

// RecordEvents returns the events that a recording callback of Live can be registered for.
func RecordEvents() []string { return slices.Clone(recordEvents) }
