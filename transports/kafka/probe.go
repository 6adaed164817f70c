package kafka

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"livebridge/transports/kafka/producer"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// Probe connects to the brokers once and checks the topics and the right to publish to them, without creating a topic
// or writing a record. It returns what an operator should know, and an error if publishing would not succeed.
func Probe(ctx context.Context, opts Options) (warnings []string, err error) {
	if err := opts.Check(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, opts.AckTimeout)
	defer cancel()
	c, err := newCluster(ctx, &opts)
	if err != nil {
		return nil, err
	}
	defer c.close()
	p := &probe{opts: &opts, cluster: c, topics: newTopics(&opts, c)}
	return p.run(ctx)
}

// probe is one run of Probe.
type probe struct {
	opts     *Options
	cluster  *cluster
	topics   *topics
	warnings []string
}

func (p *probe) run(ctx context.Context) ([]string, error) {
	names := slices.DeleteFunc([]string{p.opts.Topic, p.opts.Quarantine}, func(name string) bool {
		return name == "" || !template(name).fixed()
	})
	p.cluster.setTopics(names)
	answer, err := p.cluster.Client().Metadata(ctx, &kafka.MetadataRequest{Topics: names})
	if err != nil {
		return nil, p.opts.connectError(err)
	}
	var errs []error
	for i := range answer.Topics {
		errs = append(errs, p.check(ctx, &answer.Topics[i], roleEvents))
	}
	return p.warnings, errors.Join(errs...)
}

// check checks one topic.
func (p *probe) check(ctx context.Context, found *kafka.Topic, r role) error {
	switch {
	case errors.Is(found.Error, kafka.UnknownTopicOrPartition) && p.opts.Create:
		p.warn(found.Name, "does not exist; it is created at the start")
		return nil
	case found.Error != nil:
		return unavailable(found.Name, found.Error)
	case len(found.Partitions) == 0:
		return unavailable(found.Name, kafka.LeaderNotAvailable)
	}
	if n := len(found.Partitions); r == roleEvents && n != p.opts.Partitions {
		p.warn(found.Name, fmt.Sprintf("has %d partitions; KAFKA_PARTITIONS is %d", n, p.opts.Partitions))
	}
	known := &topic{Topic: producer.Topic{Name: found.Name}}
	findings := p.topics.describe(ctx, known)
	findings = append(findings, p.opts.roleFindings(r, topicState{partitions: found.Partitions, config: known.config})...)
	for _, f := range findings {
		if f.alarm {
			return fmt.Errorf("topic %s: %s", found.Name, f.text)
		}
		p.warn(found.Name, f.text)
	}
	return p.checkWrite(ctx, found)
}

func (p *probe) warn(topic, text string) {
	p.warnings = append(p.warnings, fmt.Sprintf("topic %s: %s", topic, text))
}

// checkWrite sends a batch with a wrong checksum. Brokers check the right to write before they reject it.
func (p *probe) checkWrite(ctx context.Context, found *kafka.Topic) error {
	answer, err := p.cluster.Client().RawProduce(ctx, &kafka.RawProduceRequest{
		Topic: found.Name, Partition: found.Partitions[0].ID, RequiredAcks: kafka.RequireAll,
		RawRecords: protocol.RawRecordSet{Reader: bytes.NewReader(corruptBatch())},
	})
	if err == nil {
		err = answer.Error
	}
	if err == nil || errors.Is(err, kafka.InvalidMessage) || errors.Is(err, kafka.InvalidRecord) {
		return nil
	}
	return unavailable(found.Name, err)
}

// corruptBatch returns a record batch (magic 2) of one empty record, without its checksum.
func corruptBatch() []byte {
	const header, beforeLength, magic = 61, 12, 2
	record := []byte{12, 0, 0, 0, 1, 1, 0} // 6 bytes: attributes, deltas of time and offset, no key, no value, no headers
	b := make([]byte, header, header+len(record))
	binary.BigEndian.PutUint32(b[8:], uint32(header-beforeLength+len(record)))
	b[16] = magic
	binary.BigEndian.PutUint64(b[43:], ^uint64(0)) // no producer ID
	binary.BigEndian.PutUint16(b[51:], ^uint16(0))
	binary.BigEndian.PutUint32(b[53:], ^uint32(0))
	binary.BigEndian.PutUint32(b[57:], 1) // records
	return append(b, record...)
}
