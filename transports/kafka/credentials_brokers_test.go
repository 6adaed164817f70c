//go:build brokers

package kafka

import (
	"crypto/pbkdf2"
	sha "crypto/sha256"
	"os"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"livebridge/bridge/certificate/certificatetest"
	"livebridge/transports/kafka/kafkatest"
	"livebridge/transports/transporttest"
)

// TestRotationBrokers changes a SCRAM password and renews a client certificate at a real broker, while events are
// published.
func TestRotationBrokers(t *testing.T) {
	ours, unauthorized := certificatetest.NewAuthority(t), certificatetest.NewAuthority(t)
	c := kafkatest.Start(t, kafkatest.Options{
		Properties: map[string]string{
			"listener.security.protocol.map": "CLIENT:SASL_SSL,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
			"sasl.enabled.mechanisms":        "SCRAM-SHA-256",
			"ssl.keystore.type":              "PEM", "ssl.keystore.location": ours.Issue(t, "broker", "127.0.0.1").StoreFile,
			"ssl.truststore.type": "PEM", "ssl.truststore.location": ours.File,
			"listener.name.client.ssl.client.auth": "required",
			"listener.name.client.scram-sha-256.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule " +
				"required;",
		},
		Format: []string{"--add-scram", "SCRAM-SHA-256=[name=bridge,password=first-secret]"},
	})
	o, logs := observed()
	o = passwordOptions(t, o, "first-secret")
	o.Brokers, o.TLS, o.CAFile, o.CertFile = c.Broker(0), true, ours.File, ours.Issue(t, "bridge", "bridge").StoreFile
	o.KeyFile = o.CertFile
	p := dial(t, o)
	begun := time.Now()
	transporttest.Deliver(t, p, transporttest.Events(5, 1, 5))
	publishing := func(first, n uint64) <-chan struct{} {
		delivered := make(chan struct{})
		go func() { defer close(delivered); transporttest.Deliver(t, p, transporttest.Events(5, first, n)) }()
		return delivered
	}
	reload := func() {
		t.Helper()
		if err := p.Reload(); err != nil {
			t.Fatal(err)
		}
	}
	renew := func(by *certificatetest.Authority) {
		t.Helper()
		content, err := os.ReadFile(by.Issue(t, "bridge", "bridge").StoreFile)
		if err != nil {
			t.Fatal(err)
		}
		transporttest.Overwrite(t, o.CertFile, content)
		reload()
	}

	delivered := publishing(6, 20)
	transporttest.Overwrite(t, o.PasswordFile, []byte("second-secret")) // which the broker does not know yet
	reload()
	transporttest.AwaitLog(t, logs, "Kafka rejected the credentials")
	alterPassword(t, c, "bridge", "second-secret")
	<-delivered
	transporttest.AwaitLog(t, logs, "broker connected")

	delivered = publishing(26, 20)
	renew(unauthorized)
	transporttest.AwaitLog(t, logs, "TLS handshake with Kafka failed")
	renew(ours)
	<-delivered
	transporttest.Deliver(t, p, transporttest.Events(5, 46, 5))

	t.Logf("beside the start of the broker it took %v", time.Since(begun))
	got, want := contents(t, []string{c.Internal(0)}, o.Topic), transporttest.Events(5, 1, 50)
	if transporttest.CheckLanes(t, got, want); len(got) != len(want) {
		t.Errorf("the topic has %d records of %d events", len(got), len(want))
	}
	// Of a certificate, the end of a connection may come before the reason.
	if n := logs.FilterMessageSnippet("retrying").Len(); n > 3 {
		t.Errorf("the log has %v", logs.All())
	}
}

// alterPassword sets the password of a user at the broker.
func alterPassword(t *testing.T, c *kafkatest.Cluster, user, password string) {
	t.Helper()
	const iterations = 4096
	salt := []byte("salt")
	salted, err := pbkdf2.Key(sha.New, password, salt, iterations, sha.Size)
	if err != nil {
		t.Fatal(err)
	}
	client := &kafka.Client{Addr: kafka.TCP(c.Internal(0)), Transport: &kafka.Transport{}, Timeout: 10 * time.Second}
	answer, err := client.AlterUserScramCredentials(t.Context(), &kafka.AlterUserScramCredentialsRequest{
		Upsertions: []kafka.UserScramCredentialsUpsertion{{
			Name: user, Mechanism: kafka.ScramMechanismSha256, Iterations: iterations, Salt: salt, SaltedPassword: salted,
		}},
	})
	if err != nil || len(answer.Results) != 1 || answer.Results[0].Error != nil {
		t.Fatalf("%v %+v", err, answer)
	}
}
