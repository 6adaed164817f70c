package processor

import "livebridge/bridge"

// quarantineNotice makes the event that tells consumers of a quarantined callback, in the lane of its kind and of the
// partition.
func quarantineNotice(e *bridge.Event, partition string) *bridge.Event {
	notice := &bridge.Event{
		ID: e.ID, Type: bridge.TypeQuarantined, Lane: bridge.Lane{Kind: e.Lane.Kind, Stream: partition},
		Recorded: e.Recorded, Scheme: e.Scheme, Reason: e.Reason, Trace: e.Trace,
	}
	if !e.Lane.IsZero() {
		notice.Subject = e.Lane.Subject()
	}
	notice.Data = appendNoticeData(nil, e, notice.Subject)
	return notice
}

// appendNoticeData appends the notice's data in canonical JSON. No text in it needs escaping.
func appendNoticeData(dst []byte, e *bridge.Event, subject string) []byte {
	dst = append(dst, '{')
	if len(e.Data) > 0 {
		dst = append(append(append(dst, `"body":`...), e.Data...), ',')
	}
	dst = append(append(append(dst, `"kind":"`...), e.Lane.Kind.String()...), `",`...)
	if subject != "" {
		dst = append(append(append(dst, `"lane":"`...), subject...), `",`...)
	}
	dst = append(append(append(dst, `"reason":"`...), e.Reason...), `","received":"`...)
	return append(e.Recorded.Append(dst), `"}`...)
}
