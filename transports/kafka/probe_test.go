package kafka

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestProbe: it writes and creates nothing, and says what is missing.
func TestProbe(t *testing.T) {
	t.Parallel()
	o := testOptions()
	f := startFake(t, kfake.SeedTopics(3, o.Topic))
	o.Brokers = joined(f.addrs)
	warnings, err := Probe(t.Context(), o)
	all := strings.Join(warnings, "\n")
	if err != nil || !strings.Contains(all, "has 3 partitions") ||
		!strings.Contains(all, o.Quarantine+": does not exist; it is created at the start") {
		t.Errorf("%v, %q", err, warnings)
	}
	if got := contents(t, f.addrs, o.Topic); len(got) != 0 {
		t.Errorf("it has written %q", got)
	}
	o.Create = false
	if _, err = Probe(t.Context(), o); err == nil || !strings.Contains(err.Error(), o.Quarantine) {
		t.Errorf("a topic that nobody creates: %v", err)
	}
	f.Close()
	if _, err = Probe(t.Context(), o); err == nil || !strings.Contains(err.Error(), "LIVEBRIDGE_KAFKA_BROKERS") {
		t.Errorf("brokers that are away: %v", err)
	}
}

// TestProbeOfRights: a user who may see the topic, and not write to it.
func TestProbeOfRights(t *testing.T) {
	t.Parallel()
	o := patientOptions()
	o.SASL, o.User, o.Password, o.Quarantine = "plain", "bridge", "secret", ""
	for _, may := range []bool{false, true} {
		acls := []kfake.ACL{{Resource: kmsg.ACLResourceTypeTopic, Name: o.Topic, Allow: true,
			Pattern: kmsg.ACLResourcePatternTypeLiteral, Operation: kmsg.ACLOperationDescribe}}
		if may {
			write := acls[0]
			write.Operation = kmsg.ACLOperationWrite
			acls = append(acls, write)
		}
		f := startFake(t, kfake.SeedTopics(12, o.Topic), kfake.EnableSASL(), kfake.EnableACLs(),
			kfake.User("PLAIN", o.User, o.Password, acls...))
		o.Brokers = joined(f.addrs)
		if _, err := Probe(t.Context(), o); (err == nil) != may || err != nil && !strings.Contains(err.Error(),
			"allow WRITE") {
			t.Errorf("may write: %v, %v", may, err)
		}
	}
}
