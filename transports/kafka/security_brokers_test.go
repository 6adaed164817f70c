//go:build brokers

package kafka

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"livebridge/bridge"
	"livebridge/bridge/certificate/certificatetest"
	"livebridge/transports/kafka/kafkatest"
	"livebridge/transports/transporttest"
)

// TestSecurity runs against one real broker with TLS, client certificates where they are shown, SASL and an authorizer.
func TestSecurity(t *testing.T) {
	authority := certificatetest.NewAuthority(t)
	c := kafkatest.Start(t, kafkatest.Options{
		Properties: map[string]string{
			"listener.security.protocol.map": "CLIENT:SASL_SSL,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
			"sasl.enabled.mechanisms":        "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
			"ssl.keystore.type":              "PEM",
			"ssl.keystore.location":          authority.Issue(t, "broker", "127.0.0.1").StoreFile,
			"ssl.truststore.type":            "PEM",
			"ssl.truststore.location":        authority.File,
			"ssl.client.auth":                "requested",
			"authorizer.class.name":          "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
			"super.users":                    "User:ANONYMOUS",
			"listener.name.client.plain.sasl.jaas.config": `org.apache.kafka.common.security.plain.PlainLoginModule ` +
				`required user_plainuser="plain-secret" ` + minimalUsers() + ";",
			"listener.name.client.scram-sha-256.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule " +
				"required;",
			"listener.name.client.scram-sha-512.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule " +
				"required;",
		},
		Format: []string{"--add-scram", "SCRAM-SHA-256=[name=user256,password=secret-256]", "--add-scram",
			"SCRAM-SHA-512=[name=user512,password=secret-512]"},
	})
	open := func(t *testing.T, sasl, user, password string) (Options, *Publisher, func(string)) {
		o, logs := observed()
		o.Brokers, o.TLS, o.CAFile, o.SASL, o.User, o.Password = c.Broker(0), true, authority.File, sasl, user, password
		o.Topic, o.Quarantine = "events-"+user, "quarantine-"+user
		return o, dial(t, o), func(text string) { t.Helper(); transporttest.AwaitLog(t, logs, text) }
	}
	for _, user := range [][3]string{{"plain", "plainuser", "plain-secret"}, {"scram-sha-256", "user256", "secret-256"},
		{"scram-sha-512", "user512", "secret-512"}} {
		t.Run(user[0], func(t *testing.T) {
			o, p, _ := open(t, user[0], user[1], user[2])
			awaitAnswer(t, p, containing(o.Topic)) // without any permission
			allow(t, c, user[1], "events-", kafka.ACLOperationTypeAll)
			allow(t, c, user[1], "quarantine-", kafka.ACLOperationTypeAll)
			want := transporttest.Events(10, 1, 5)
			transporttest.Deliver(t, p, want)
			got := contents(t, []string{c.Internal(0)}, o.Topic)
			if transporttest.CheckLanes(t, got, want); len(got) != len(want) {
				t.Errorf("the topic has %d records of %d events", len(got), len(want))
			}
		})
	}
	t.Run("wrong password", func(t *testing.T) {
		_, p, awaitLog := open(t, "scram-sha-256", "user256", "wrong-secret")
		awaitLog("rejected the credentials")
		awaitAnswer(t, p, func(why string) bool {
			return strings.Contains(why, "SASL") && !strings.Contains(why, "wrong-secret")
		})
	})
	t.Run("unknown authority", func(t *testing.T) {
		o, _ := observed()
		o.Brokers, o.TLS, o.CAFile, o.SASL, o.User, o.Password = c.Broker(0), true, certificatetest.NewAuthority(t).File,
			"plain", "plainuser", "plain-secret"
		awaitAnswer(t, dial(t, o), containing("certificate"))
	})
	t.Run("permission withdrawn", func(t *testing.T) {
		o, p, _ := open(t, "plain", "plainuser", "plain-secret")
		transporttest.Deliver(t, p, transporttest.Events(3, 6, 1))
		deny(t, c, "plainuser", o.Topic)
		awaitUnavailable(t, p, fresh(100)) // once the broker has learnt of it
		awaitAnswer(t, p, containing("WRITE"))
	})
	t.Run("tail", func(t *testing.T) {
		o, _, _ := open(t, "scram-sha-512", "user512", "secret-512")
		consumeAll(t, o, 50)
	})
	t.Run("rights", func(t *testing.T) { rights(t, c, authority) })
}

// TestClientCertificate runs against a broker that asks for one and knows us by it.
func TestClientCertificate(t *testing.T) {
	authority := certificatetest.NewAuthority(t)
	c := kafkatest.Start(t, kafkatest.Options{Properties: map[string]string{
		"listener.security.protocol.map": "CLIENT:SSL,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"ssl.keystore.type":              "PEM", "ssl.keystore.location": authority.Issue(t, "broker", "127.0.0.1").StoreFile,
		"ssl.truststore.type": "PEM", "ssl.truststore.location": authority.File, "ssl.client.auth": "required",
	}})
	o, _ := observed()
	o.Brokers, o.TLS, o.CAFile = c.Broker(0), true, authority.File
	if err := failure(t, dial(t, o)); err == nil {
		t.Error("a client without a certificate was let in")
	}
	client := authority.Issue(t, "bridge", "bridge")
	o.CertFile, o.KeyFile = client.CertFile, client.KeyFile
	want := transporttest.Events(10, 1, 5)
	transporttest.Deliver(t, dial(t, o), want)
	got := contents(t, []string{c.Internal(0)}, o.Topic)
	transporttest.CheckLanes(t, got, want)
}

// TestCertificateOfAnotherName runs against a broker as Huawei Cloud DMS has it: SASL_SSL, with a certificate whose
// name is not its address. What does not fit its listeners is named.
func TestCertificateOfAnotherName(t *testing.T) {
	authority := certificatetest.NewAuthority(t)
	c := kafkatest.Start(t, kafkatest.Options{Properties: map[string]string{
		"listener.security.protocol.map": "CLIENT:SASL_SSL,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"sasl.enabled.mechanisms":        "PLAIN",
		"ssl.keystore.type":              "PEM", "ssl.keystore.location": authority.Issue(t, "broker",
			"kafka.internal").StoreFile,
		"listener.name.client.plain.sasl.jaas.config": `org.apache.kafka.common.security.plain.PlainLoginModule required ` +
			`user_plainuser="plain-secret";`,
	}})
	plain := func(o *Options) { o.SASL, o.User, o.Password = "plain", "plainuser", "plain-secret" }
	for _, v := range verifications(certificatetest.NewAuthority(t).File) {
		t.Run(v.name, func(t *testing.T) { v.check(t, c.Broker(0), authority.File, plain) })
	}
	for text, set := range map[string]func(*Options){
		"the Kafka listener does not use SASL":        func(o *Options) { o.Brokers = c.Internal(0); plain(o) },
		"the Kafka listener does not seem to use TLS": func(o *Options) { o.Brokers, o.TLS = c.Internal(0), true },
		"the Kafka listener uses TLS":                 func(o *Options) { o.Brokers = c.Broker(0) },
		"the listener may need SASL": func(o *Options) {
			o.Brokers, o.TLS, o.CAFile,
				o.TLSVerify = c.Broker(0), true, authority.File, "ca"
		},
	} {
		t.Run(text, func(t *testing.T) {
			o, logs := observed()
			set(&o)
			dial(t, o)
			transporttest.AwaitLog(t, logs, text)
		})
	}
}

// allow gives a user a permission on the topics that begin with a prefix.
func allow(t *testing.T, c *kafkatest.Cluster, user, prefix string, operation kafka.ACLOperationType) {
	t.Helper()
	addACL(t, c, kafka.ACLEntry{ResourceType: kafka.ResourceTypeTopic, ResourceName: prefix,
		ResourcePatternType: kafka.PatternTypePrefixed,
		Principal:           "User:" + user, Host: "*", Operation: operation, PermissionType: kafka.ACLPermissionTypeAllow})
}

// deny revokes the permission to write to a topic.
func deny(t *testing.T, c *kafkatest.Cluster, user, topic string) {
	t.Helper()
	addACL(t, c, kafka.ACLEntry{ResourceType: kafka.ResourceTypeTopic, ResourceName: topic,
		ResourcePatternType: kafka.PatternTypeLiteral,
		Principal:           "User:" + user, Host: "*", Operation: kafka.ACLOperationTypeWrite,
		PermissionType: kafka.ACLPermissionTypeDeny})
}

func addACL(t *testing.T, c *kafkatest.Cluster, entry kafka.ACLEntry) {
	t.Helper()
	client := &kafka.Client{Addr: kafka.TCP(c.Internal(0)), Transport: &kafka.Transport{}, Timeout: 10 * time.Second}
	answer, err := client.CreateACLs(t.Context(), &kafka.CreateACLsRequest{ACLs: []kafka.ACLEntry{entry}})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range answer.Errors {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// consumeAll reads n records as tail does.
func consumeAll(t *testing.T, o Options, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := Consume(ctx, o, StartAll, func(Record) error {
		if n--; n == 0 {
			return context.Canceled
		}
		return nil
	})
	if err != context.Canceled {
		t.Errorf("%d events were not consumed: %v", n, err)
	}
}

// awaitAnswer waits until the answer for an event that is unavailable is as wanted. On a busy machine a time-out may be
// the answer before it.
func awaitAnswer(t *testing.T, p *Publisher, wanted func(why string) bool) {
	t.Helper()
	var err error
	defer func() {
		if t.Failed() {
			t.Logf("the last answer is %v", err)
		}
	}()
	events := fresh(100)
	transporttest.Eventually(t, "the answer is as wanted", func() bool {
		if err = transporttest.Try(t, p, events()[0]); err == nil || bridge.IsRejected(err) {
			t.Fatalf("the answer is %v", err)
		}
		return wanted(err.Error())
	})
}

func containing(text string) func(string) bool {
	return func(why string) bool { return strings.Contains(why, text) }
}
