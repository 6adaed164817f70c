package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"livebridge/bridge"
	"livebridge/bridge/callback"
)

// entryFactor is how much larger than its callback an entry of the quarantine may be: it has the body in base64 and the
// data after redaction.
const entryFactor = 4

// read takes the callback from the input, which may be an entry of the quarantine, and its kind. An entry is verified
// as of when it was received, unless an instant is given.
func (v *verification) read(content []byte, kind string, instantGiven bool) error {
	v.body = content
	entry, err := readEntry(content)
	if err != nil {
		return err
	}
	if entry != nil {
		v.body = entry.Raw
		if kind == "" {
			kind = entry.Kind
		}
		if !instantGiven {
			if v.now, err = parseInstant(entry.Received); err != nil {
				return err
			}
		}
	}
	if kind == "" {
		v.kind, err = v.inferKind()
		return err
	}
	var known bool
	if v.kind, known = bridge.ParseKind(kind); !known {
		return fmt.Errorf("--kind %q: use one of %s", kind, kindNames())
	}
	return nil
}

// readEntry returns the entry of the quarantine that the input is; nil: it is something else.
func readEntry(content []byte) (*bridge.Entry, error) {
	var e bridge.Entry
	if json.Unmarshal(content, &e) != nil || e.Number == 0 || e.Kind == "" || e.Received == "" {
		return nil, nil
	}
	if len(e.Raw) == 0 {
		return nil, errors.New("the entry has no body as received: use the output of livebridge quarantine show")
	}
	return &e, nil
}

// inferKind returns the one kind of callback that the body can be.
func (v *verification) inferKind() (bridge.Kind, error) {
	if v.header.Get("X-Rtc-Signature") != "" {
		return bridge.KindRTCRecord, nil
	}
	var fits []bridge.Kind
	for _, k := range bridge.Kinds() {
		if c, err := callback.Decode(k, v.body); err == nil {
			c.Release()
			fits = append(fits, k)
		}
	}
	if len(fits) != 1 {
		return 0, fmt.Errorf("--kind cannot be inferred from this callback: use one of %s", kindNames())
	}
	return fits[0], nil
}
