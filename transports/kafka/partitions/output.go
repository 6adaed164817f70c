package partitions

import (
	"livebridge/bridge"
	"livebridge/transports/kafka/producer"
)

// Destination is where records go.
type Destination struct {
	Topic     string
	Partition int
	Limit     int64 // max.message.bytes of the topic; 0: unknown
}

// output is the events of a commit that go to one topic.
type output struct {
	to      func() (Destination, error)
	records []producer.Record
	index   []int // of each record: that of its event
}

func (o *output) add(i int, e *bridge.Event) {
	o.records = append(o.records, producer.Record{Event: e, Key: e.AppendPartitionKey(nil)})
	o.index = append(o.index, i)
}

// split returns the events, and the notices of quarantined callbacks, which go to a topic of their own where there is
// one.
func (p *partition) split(all []*bridge.Event) (events, notices *output) {
	opts := &p.owned.opts
	events = &output{to: func() (Destination, error) {
		return Destination{opts.Output, p.number, opts.OutputLimit()}, nil
	}}
	notices = &output{}
	if opts.Notices != nil {
		notices.to = func() (Destination, error) { return opts.Notices(p.number) }
	}
	for i, e := range all {
		if e.Quarantined() && opts.Notices != nil {
			notices.add(i, e)
		} else {
			events.add(i, e)
		}
	}
	return events, notices
}
