//go:build brokers

package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"livebridge/bridge"
	"livebridge/bridge/certificate/certificatetest"
	"livebridge/transports/kafka/kafkatest"
)

// replicaRight is what replicas need of one kind of resource, whose names begin with the user's.
type replicaRight struct {
	on        kafka.ResourceType
	operation kafka.ACLOperationType
	advice    string // what is said without it
}

func replicasRights() []replicaRight {
	return []replicaRight{
		{kafka.ResourceTypeTopic, kafka.ACLOperationTypeCreate, "allow CREATE"},
		{kafka.ResourceTypeTopic, kafka.ACLOperationTypeDescribeConfigs, "allow KAFKA_USER DESCRIBE_CONFIGS"},
		{kafka.ResourceTypeTopic, kafka.ACLOperationTypeWrite, "allow WRITE"},
		{kafka.ResourceTypeTopic, kafka.ACLOperationTypeRead, "allow READ"},
		{kafka.ResourceTypeGroup, kafka.ACLOperationTypeRead, "allow READ on the group"},
		{kafka.ResourceTypeTransactionalID, kafka.ACLOperationTypeWrite, "allow WRITE and DESCRIBE on transactional ids"},
	}
}

// replicaRights gives users of a broker with SASL and TLS exactly what replicas need, and one right less each.
func replicaRights(t *testing.T, c *kafkatest.Cluster, authority *certificatetest.Authority) {
	for missing := range len(replicasRights()) + 1 {
		name := "all"
		if missing < len(replicasRights()) {
			name = replicasRights()[missing].advice
		}
		t.Run(name, func(t *testing.T) {
			o, logs := observed()
			user := fmt.Sprint("replica", missing)
			o.Brokers, o.TLS, o.CAFile, o.SASL, o.User, o.Password = c.Broker(0), true, authority.File, "plain", user,
				"least-secret"
			o.Topic, o.Quarantine, o.Partitions = user+"-events", user+"-quarantine", 2
			for i, r := range replicasRights() {
				if i != missing {
					addACL(t, c, kafka.ACLEntry{ResourceType: r.on, ResourceName: user + "-", Host: "*",
						ResourcePatternType: kafka.PatternTypePrefixed, Principal: "User:" + user, Operation: r.operation,
						PermissionType: kafka.ACLPermissionTypeAllow})
				}
			}
			err := useAll(t, o)
			probeRights(t, o, missing)
			if missing == len(replicasRights()) {
				if err != nil || logs.FilterMessageSnippet("KAFKA_USER").Len() > 0 {
					t.Errorf("with all rights: %v; the log has %v", err, logs.All())
				}
				return
			}
			if logs.FilterMessageSnippet(name).Len() == 0 && (err == nil || !strings.Contains(err.Error(), name)) {
				t.Errorf("it says %v; the log has %v", err, logs.All())
			}
		})
	}
}

// probeRights checks that a probe finds the same right missing. What is missing to create a topic shows at the start.
func probeRights(t *testing.T, o Options, missing int) {
	t.Helper()
	advice := ""
	if missing < len(replicasRights()) {
		advice = replicasRights()[missing].advice
	}
	said := probed(ProbeReplicas(t.Context(), o, groupOf(o)))
	if advice == "allow CREATE" {
		advice = "which the right CREATE permits"
	}
	found := strings.Contains(said, ": FAILED: ")
	fails := advice != "" && missing > 1 // neither the right to create topics nor that to read their settings is needed
	if !strings.Contains(said, advice) || found != fails && missing > 0 {
		t.Errorf("the probe says\n%s", said)
	}
}

// useAll does everything that a replica does, and returns the first error that does not pass. A broker learns of rights
// only after a while.
func useAll(t *testing.T, o Options) error {
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
	defer cancel()
	r, err := OpenReplicas(ctx, o, groupOf(o))
	if err != nil {
		return err
	}
	defer func() { _ = r.Close(ctx) }()
	for err = r.Append(ctx, 1, []byte("input")); err != nil; err = r.Append(ctx, 1, []byte("input")) {
		if strings.Contains(err.Error(), "allow ") || ctx.Err() != nil {
			return err
		}
		<-time.After(20 * time.Millisecond)
	}
	m, err := r.Join()
	if err != nil {
		return err
	}
	defer func() { _ = m.Leave(ctx) }()
	for partitions, err := m.Next(ctx); len(partitions) != 2; partitions, err = m.Next(ctx) {
		if err != nil && (strings.Contains(err.Error(), "allow ") || ctx.Err() != nil) {
			return err
		}
	}
	p, err := r.Take(ctx, 1, 0, make(counter).put)
	if err != nil {
		return err
	}
	defer func() { _ = p.Close() }()
	records, _, err := p.Read(ctx, time.Second)
	if err == nil && len(records) == 0 {
		err = errors.New("nothing is read")
	}
	if err == nil {
		err = findNotices(ctx, r)
	}
	if err == nil {
		c := counted(1, 1)
		c.Events = append(c.Events, noticeOf(1, 1))
		_, err = p.Commit(ctx, c)
	}
	if err == nil {
		err = r.State(ctx, 1, 0, func([]bridge.Row, uint64) error { return nil })
	}
	return err
}

// findNotices waits until the topic of notices was found.
func findNotices(ctx context.Context, r *Replicas) error {
	_, err := r.noticesOf(1)
	for err != nil && ctx.Err() == nil {
		<-time.After(20 * time.Millisecond)
		_, err = r.noticesOf(1)
	}
	return err
}
