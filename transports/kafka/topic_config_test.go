package kafka

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap/zapcore"

	"livebridge/transports/transporttest"
)

// TestUnusableTopic: a topic that would not keep what it acknowledges gets nothing, from the start or from when it
// becomes so. The alarm says what to mend, and comes again while it lasts; publishing goes on by itself.
func TestUnusableTopic(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, invalid, valid, text string }{
		{"cleanup.policy", "compact", "delete", "set cleanup.policy to delete"},
		{"retention.ms", "60000", "604800000", "raise retention.ms"},
		{"retention.bytes", "100000", "-1", "raise retention.bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := startFake(t, kfake.NumBrokers(1))
			o, logs := observed()
			o.Partitions, o.checkInterval, o.remindInterval = 1, 10*time.Millisecond, 10*time.Millisecond
			if err := f.CreateTopic(o.Topic, 1, map[string]string{c.name: c.invalid}); err != nil {
				t.Fatal(err)
			}
			p := f.dial(t, o)
			if err := failure(t, p); !strings.Contains(err.Error(), c.text) {
				t.Fatalf("at the start the answer is %v", err)
			}
			setConfig(t, f.addrs, o.Topic, c.name, c.valid)
			transporttest.Deliver(t, p, transporttest.Events(10, 1, 1))
			transporttest.AwaitLog(t, logs, "topic is available again")
			setConfig(t, f.addrs, o.Topic, c.name, c.invalid)
			if err := awaitUnavailable(t, p, fresh(100)); !strings.Contains(err.Error(), c.text) {
				t.Fatalf("later the answer is %v", err)
			}
			before := logs.FilterLevelExact(zapcore.ErrorLevel).FilterMessageSnippet(c.text).Len()
			transporttest.Eventually(t, "nobody was reminded", func() bool {
				return logs.FilterLevelExact(zapcore.ErrorLevel).FilterMessageSnippet(c.text).Len() > before
			})
			setConfig(t, f.addrs, o.Topic, c.name, c.valid)
			transporttest.Deliver(t, p, transporttest.Events(10, 200, 1))
		})
	}
}

// TestWarningsAreRepeated: a topic that keeps events less well than advised is warned of once while that lasts, and
// again when it comes back. Events go there.
func TestWarningsAreRepeated(t *testing.T) {
	t.Parallel()
	f := startFake(t, kfake.NumBrokers(1))
	o, logs := observed()
	o.checkInterval = 10 * time.Millisecond
	if err := f.CreateTopic(o.Topic, 1, map[string]string{"retention.ms": "3600000"}); err != nil {
		t.Fatal(err)
	}
	checks := f.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeConfigs}, Resource: o.Topic, Observe: true, Count: -1})
	checked := func(n int) {
		t.Helper()
		until := checks.Hits() + n
		transporttest.Eventually(t, "the topic is not checked", func() bool { return checks.Hits() >= until })
	}
	p := f.dial(t, o)
	count := func() int { return logs.FilterMessageSnippet("less than DEDUPE_WINDOW").Len() }
	transporttest.AwaitLog(t, logs, "less than DEDUPE_WINDOW")
	checked(3)
	if n := count(); n != 1 {
		t.Errorf("logged %d times although nothing has changed", n)
	}
	setConfig(t, f.addrs, o.Topic, "retention.ms", "604800000")
	checked(3)
	setConfig(t, f.addrs, o.Topic, "retention.ms", "3600000")
	transporttest.Eventually(t, "the finding is not logged again", func() bool { return count() == 2 })
	transporttest.Deliver(t, p, transporttest.Events(5, 1, 1))
}

// TestConfigurationCannotBeRead: one request that fails is retried and not logged; one that keeps failing is logged
// once.
func TestConfigurationCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		failures int
		logged   int
	}{{1, 0}, {-1, 1}} {
		t.Run(fmt.Sprint(c.failures), func(t *testing.T) {
			t.Parallel()
			f := startFake(t, kfake.NumBrokers(1))
			o, logs := observed()
			o.checkInterval = time.Hour // what comes sooner is asked again because of the failure
			if err := f.CreateTopic(o.Topic, 1, nil); err != nil {
				t.Fatal(err)
			}
			checks := f.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeConfigs}, Resource: o.Topic, Observe: true, Count: -1})
			f.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeConfigs}, Resource: o.Topic, Err: kerr.CoordinatorLoadInProgress,
				Count: c.failures})
			p := f.dial(t, o)
			transporttest.Eventually(t, "the topic is not checked again", func() bool { return checks.Hits() >= 2 })
			transporttest.Deliver(t, p, transporttest.Events(5, 1, 1))
			if c.logged > 0 {
				transporttest.AwaitLog(t, logs, "is not checked")
			}
			if n := logs.FilterMessageSnippet("is not checked").Len(); n != c.logged {
				t.Errorf("logged %d times, not %d: %v", n, c.logged, logs.All())
			}
		})
	}
}
