package kafka

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// probed returns what a probe says, a line for each thing.
func probed(all []ReplicaCheck) string {
	var lines []string
	for _, c := range all {
		line := c.Name + ": " + c.Found
		if c.Err != nil {
			line = c.Name + ": FAILED: " + c.Err.Error()
		}
		lines = append(lines, line)
		for _, w := range c.Warnings {
			lines = append(lines, c.Name+": warning: "+w)
		}
	}
	return strings.Join(lines, "\n")
}

// says checks that each text is in what a probe says, and that nothing has failed but what is among them.
func says(t *testing.T, said string, texts ...string) {
	t.Helper()
	failures := 0
	for _, text := range texts {
		if !strings.Contains(said, text) {
			t.Errorf("%q is not among\n%s", text, said)
		}
		if strings.Contains(text, ": FAILED") {
			failures++
		}
	}
	if n := strings.Count(said, ": FAILED: "); n != failures {
		t.Errorf("%d things have failed, want %d:\n%s", n, failures, said)
	}
}

// TestProbeReplicas: before there are topics it creates none; with a replica at work it finds all, and that one owns
// its partition and its place in the group as before.
func TestProbeReplicas(t *testing.T) {
	t.Parallel()
	f := startFake(t, kfake.NumBrokers(1))
	o := patientOptions()
	o.Brokers, o.Partitions = joined(f.addrs), 1
	says(t, probed(ProbeReplicas(t.Context(), o, groupOf(o))), "events: topic "+o.Topic+" is created at the start",
		"intake: topic "+o.Topic+".intake is created", "quarantine: topic "+o.Quarantine+" is created",
		"state: topic "+o.Topic+".state is created", "transactions: tr",
		"group: the consumer group "+groupOf(o)+" is permitted")
	r := openReplicas(t, o)
	m, err := r.Join()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Leave(soon(t)) }()
	if all, err := m.Next(soon(t)); err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	p := takePartition(t, r)
	says(t, probed(ProbeReplicas(t.Context(), o, groupOf(o))), "events: topic "+o.Topic+" has 1 partitions; writing",
		"intake: topic "+o.Topic+".intake has 1 partitions; reading and writing are permitted",
		"state: topic "+o.Topic+".state has 1 partitions; reading", "begin with "+groupOf(o)+"-"+o.Topic+"- are permitted")
	if _, err := p.Commit(soon(t), counted(1, 1)); err != nil || !r.ours(soon(t), 0) {
		t.Errorf("the owner commits: %v; it is still a member: %v", err, r.ours(soon(t), 0))
	}
	checkCommitted(t, r, o, 1)
}

// TestProbeOfUnequalTopics: what replicas refuse at the start is said before.
func TestProbeOfUnequalTopics(t *testing.T) {
	t.Parallel()
	o := testOptions()
	o.Quarantine = ""
	f := startFake(t, kfake.SeedTopics(2, o.Topic), kfake.SeedTopics(3, o.Topic+".intake"))
	o.Brokers = joined(f.addrs)
	said := probed(ProbeReplicas(t.Context(), o, "g"))
	says(t, said, "intake: FAILED: ", "has 3 partitions and "+o.Topic+" has 2: replicas need as many in each")
	o.Topic, o.Create = "others", false
	if said := probed(ProbeReplicas(t.Context(), o, "g")); strings.Count(said, ": FAILED: ") != 3 {
		t.Errorf("topics that nobody creates:\n%s", said)
	}
	f.Close()
	if said := probed(ProbeReplicas(t.Context(), o, "g")); !strings.Contains(said, "broker: FAILED: ") {
		t.Errorf("brokers that are away:\n%s", said)
	}
}

// TestProbeOfReplicaRights: a user with all rights, and one without each of them.
func TestProbeOfReplicaRights(t *testing.T) {
	t.Parallel()
	rights := []struct {
		on        kmsg.ACLResourceType
		operation kmsg.ACLOperation
		failed    []string // what is said without it
	}{
		{kmsg.ACLResourceTypeTopic, kmsg.ACLOperationWrite, []string{"events: FAILED", "intake: FAILED", "state: FAILED",
			"allow WRITE"}},
		{kmsg.ACLResourceTypeTopic, kmsg.ACLOperationRead, []string{"intake: FAILED", "state: FAILED", "allow READ:"}},
		{kmsg.ACLResourceTypeTransactionalId, kmsg.ACLOperationWrite, []string{"transactions: FAILED",
			"begin with events-group-events-: allow WRITE and DESCRIBE"}},
		{kmsg.ACLResourceTypeGroup, kmsg.ACLOperationRead, []string{"group: FAILED",
			"events-group: allow READ on the group"}},
	}
	for missing := range len(rights) + 1 {
		t.Run(fmt.Sprint("without ", missing), func(t *testing.T) {
			t.Parallel()
			o := patientOptions()
			o.SASL, o.User, o.Password, o.Topic, o.Partitions = "plain", "bridge", "secret", "events", 2
			o.Quarantine = ""
			var acls []kfake.ACL
			var want []string
			for i, r := range slices.Concat(rights, rights[:1]) {
				if i == len(rights) { // who may not write sees the topics all the same
					r.operation = kmsg.ACLOperationDescribe
				}
				if i == missing && i < len(rights) {
					want = r.failed
					continue
				}
				acls = append(acls, kfake.ACL{Resource: r.on, Name: "events", Allow: true,
					Pattern: kmsg.ACLResourcePatternTypePrefixed, Operation: r.operation})
			}
			f := startFake(t, kfake.SeedTopics(2, "events", "events.intake", "events.state"), kfake.EnableSASL(),
				kfake.EnableACLs(), kfake.User("PLAIN", o.User, o.Password, acls...))
			o.Brokers = joined(f.addrs)
			if missing < len(rights) && rights[missing].on == kmsg.ACLResourceTypeGroup {
				refuseHeartbeats(f) // the fake does not look at the right to a group that it does not have
			}
			says(t, probed(ProbeReplicas(t.Context(), o, "events-group")), want...)
		})
	}
}

// refuseHeartbeats has the broker answer members as one that does not permit the group.
func refuseHeartbeats(f *fake) {
	f.ControlKey(int16(kmsg.Heartbeat), func(r kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		answer := r.ResponseKind().(*kmsg.HeartbeatResponse)
		answer.ErrorCode = kerr.GroupAuthorizationFailed.Code
		return answer, nil, true
	})
}
