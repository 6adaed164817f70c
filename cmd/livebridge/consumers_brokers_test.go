//go:build brokers

package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"livebridge/transports/kafka/kafkatest"
)

const (
	kafkaSaid = "127.0.0.1:9092"
	natsSaid  = "nats://127.0.0.1:4222"
)

// pythonPackages are what the documentation's programs in Python import.
func pythonPackages() []string {
	return []string{"confluent-kafka==2.16.1", "cloudevents==2.2.0", "nats-py==2.16.0"}
}

// TestForeignConsumers lets the documentation's programs, with clients that are not ours, read what the service has
// published in either mode.
func TestForeignConsumers(t *testing.T) {
	broker := kafkatest.Start(t, kafkatest.Options{}).Broker(0)
	python := virtualenv(t)
	for _, mode := range []string{"structured", "binary"} {
		topic := "live." + mode
		// each in a group of its own: one that ends without a word is waited for, for 45 seconds
		ours := strings.NewReplacer(`"live.events"`, fmt.Sprintf("%q", topic), `"my-java-service"`,
			fmt.Sprintf("%q", "java-"+mode), `"my-service"`, fmt.Sprintf("%q", "python-"+mode))
		service := launch(t, t.TempDir(), prefix+"TRANSPORT=kafka", prefix+"KAFKA_BROKERS="+broker,
			prefix+"KAFKA_TOPIC="+topic, prefix+"EVENT_MODE="+mode)
		want := pushes(t, service)
		t.Run("Java "+mode, func(t *testing.T) {
			source := sourceFile(t, "Consume.java", ours.Replace(printed(t, "java", kafkaSaid, broker)))
			pom, err := os.ReadFile(filepath.Join("testdata", "consumer-pom.xml"))
			if err != nil {
				t.Fatal(err)
			}
			checkConsumer(t, exec.Command("java", "-cp", kafkatest.ClasspathOf(t, pom), "-XX:TieredStopAtLevel=1", source), want)
		})
		t.Run("Python "+mode, func(t *testing.T) {
			source := sourceFile(t, "consume.py", ours.Replace(printed(t, "python", kafkaSaid, broker)))
			checkConsumer(t, exec.Command(python, source), want)
		})
		t.Run("Python group "+mode, func(t *testing.T) {
			text := ours.Replace(printed(t, "python", kafkaSaid, broker))
			source := sourceFile(t, "consume.py", strings.Replace(text, "python-"+mode, "group-"+mode, 1))
			scaled(t, 80, func(line string) (lane, sequence string) {
				fields := strings.Fields(line) // all of one kind
				return fields[0], fields[1]
			}, wholeLines(python, source), wholeLines(python, source))
		})
	}
	t.Run("Python NATS", func(t *testing.T) {
		service := launch(t, t.TempDir())
		want := pushes(t, service)
		checkConsumer(t, exec.Command(python, sourceFile(t, "consume.py", printed(t, "python", natsSaid, service.nats))),
			want)
	})
}

// wholeLines is a program in Python that writes its lines whole, whatever the environment says of its output: two of
// them write to one pipe.
func wholeLines(python, source string) *exec.Cmd {
	c := exec.Command(python, source)
	c.Env = append(os.Environ(), "PYTHONUNBUFFERED=")
	return c
}

// pushes sends some pushes and returns what a consumer prints of each stream: key, sequence and type, in order.
func pushes(t *testing.T, service *program) map[string][]string {
	t.Helper()
	p, want := newProvider(), make(map[string][]string)
	const streams, rounds = 10, 8
	var work sync.WaitGroup
	for i := range streams {
		key := fmt.Sprintf("push.example.com/live/room%d", i)
		for n := range rounds {
			event := []string{"publish", "publish_done"}[n%2]
			want[key] = append(want[key], fmt.Sprintf("%s %d com.huaweicloud.live.stream.%s", key, n+1, event))
		}
		work.Go(func() {
			p.play(t.Context(), "http://"+service.listen+"/live/stream", fmt.Sprint("room", i), 0, rounds)
		})
	}
	work.Wait()
	if p.total.Load() != streams*rounds {
		t.Fatalf("%d callbacks were answered 200", p.total.Load())
	}
	return want
}

// checkConsumer runs a consumer until it has printed everything, and checks order and keys. That it could read an
// event's attributes by its SDK at all means that the event is valid.
func checkConsumer(t *testing.T, consumer *exec.Cmd, want map[string][]string) {
	t.Helper()
	var output strings.Builder
	consumer.Stderr = &output
	out, err := consumer.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := consumer.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(2*time.Minute, func() { _ = consumer.Process.Kill() })
	defer timer.Stop()
	left := 0
	for _, events := range want {
		left += len(events)
	}
	got, ids := make(map[string][]string), make(map[string]bool)
	for lines := bufio.NewScanner(out); left > 0 && lines.Scan(); left-- {
		fields := strings.Fields(lines.Text())
		if len(fields) != 4 || len(fields[3]) != 32 {
			t.Fatalf("it printed %q", lines.Text())
		}
		sequence, err := strconv.ParseUint(fields[1], 10, 64)
		if err != nil || len(fields[1]) != 20 {
			t.Fatalf("it printed %q: %v", lines.Text(), err)
		}
		got[fields[0]] = append(got[fields[0]], fmt.Sprintf("%s %d %s", fields[0], ordinal(sequence), fields[2]))
		ids[fields[3]] = true
	}
	_ = consumer.Process.Kill()
	_ = consumer.Wait()
	if left > 0 {
		t.Fatalf("%d events were not read: %s", left, output.String())
	}
	for key, events := range want {
		if !slices.Equal(got[key], events) {
			t.Errorf("of %s it read\n%s\nand not\n%s", key, strings.Join(got[key], "\n"), strings.Join(events, "\n"))
		}
	}
	if len(ids) != 80 {
		t.Errorf("it read %d different ids", len(ids))
	}
}

// virtualenv makes a Python with the packages, and remembers it on disk.
func virtualenv(t *testing.T) (python string) {
	t.Helper()
	dir := filepath.Join(os.TempDir(), "livebridge-python-"+
		strings.NewReplacer("==", "-").Replace(strings.Join(pythonPackages(), "-")))
	python = filepath.Join(dir, "bin", "python")
	if exec.Command(python, "-c", "import confluent_kafka, cloudevents.core, nats").Run() == nil {
		return python
	}
	for _, line := range [][]string{{"python3", "-m", "venv", "--clear", dir},
		append([]string{python, "-m", "pip", "-q", "install"}, pythonPackages()...)} {
		if output, err := exec.Command(line[0], line[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v (the tests with consumers need Python 3 with venv: Debian's python3-venv)\n%s", line, err, output)
		}
	}
	return python
}
