package bridge

// Kind is which of the provider's callbacks an event came from. Its name is part of every event id, of every NATS
// subject and of the quarantine's keys, so names never change.
type Kind uint8

// The four callbacks the provider sends.
const (
	KindStream    Kind = iota + 1 // Live: a push started or ended
	KindRecord                    // Live: a recording changed state
	KindSnapshot                  // Live: a snapshot was created
	KindRTCRecord                 // SparkRTC: a recording changed state
	KindSession                   // no callback: a session ended, or a callback of it is missing
)

// Kinds returns every kind of callback, in the order of the constants.
func Kinds() []Kind { return []Kind{KindStream, KindRecord, KindSnapshot, KindRTCRecord} }

// EventKinds returns every kind of event: those of callbacks, and KindSession.
func EventKinds() []Kind { return append(Kinds(), KindSession) }

// String returns the kind's name: stream, record, snapshot, rtc-record or session.
func (k Kind) String() string {
	switch k {
	case KindStream:
		return "stream"
	case KindRecord:
		return "record"
	case KindSnapshot:
		return "snapshot"
	case KindRTCRecord:
		return "rtc-record"
	case KindSession:
		return "session"
	}
	return "unknown"
}

// ParseKind returns the kind of callback of this name; false if there is none.
func ParseKind(name string) (Kind, bool) {
	for _, k := range Kinds() {
		if k.String() == name {
			return k, true
		}
	}
	return 0, false
}

// Scheme is the signing scheme that an event was verified with. The zero Scheme means that it was accepted unsigned.
type Scheme uint8

// The schemes of the provider's pages.
const (
	SchemeNone       Scheme = iota // no signature, accepted because of UNSIGNED=accept or a snapshot token
	SchemeHMAC                     // HMAC-SHA256 over the signed fields (Live)
	SchemeHMACLegacy               // HMAC-SHA256 over key and expiry alone (Live recording, 2021)
	SchemeMD5                      // MD5 over key and expiry alone (Live recording)
	SchemeRTC                      // HMAC-SHA256 over two headers and the raw body (SparkRTC)
)

// String returns the value of the event's attribute "signature".
func (s Scheme) String() string {
	switch s {
	case SchemeHMAC:
		return "hmac-sha256"
	case SchemeHMACLegacy:
		return "hmac-sha256-legacy"
	case SchemeMD5:
		return "md5"
	case SchemeRTC:
		return "rtc-hmac-sha256"
	}
	return "none"
}
