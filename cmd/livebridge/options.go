package main

import (
	"path/filepath"
	"regexp"

	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/callback"
	"livebridge/bridge/certificate"
	"livebridge/bridge/cluster"
	"livebridge/bridge/filewatch"
	"livebridge/bridge/ingress"
	"livebridge/bridge/journal"
	"livebridge/bridge/sequencer"
	"livebridge/bridge/store"
	"livebridge/transports/kafka"
	"livebridge/transports/nats"
	"livebridge/transports/nats/embedded"
)

// ingressConfig returns the configuration of the callback server, without TLS.
func (s *settings) ingressConfig() ingress.Config {
	c := ingress.DefaultConfig()
	c.PathPrefix, c.SnapshotToken, c.DomainsListed = s.PathPrefix, s.SnapshotToken, len(s.Domains) > 0
	c.MaxBody, c.MaxConnections = int64(s.MaxBody), s.MaxConnections
	c.TrustedProxies, c.AllowSources = prefixesOf(s.TrustedProxies), prefixesOf(s.AllowSources)
	c.Policy = callback.Policy{UserArgs: s.UserArgs, ClientIP: s.ClientIP}
	if s.IgnoreStreams != "" {
		c.IgnoreStreams = regexp.MustCompile(s.IgnoreStreams) // cannot fail: settings.check has compiled it
	}
	return c
}

// certificate returns the options of the server's certificate.
func (s *settings) certificate() certificate.Options {
	return certificate.Options{CertFile: s.TLSCertFile, KeyFile: s.TLSKeyFile, ClientCAFile: s.TLSClientCAFile}
}

// journalOptions returns the journal's options.
func (s *settings) journalOptions() journal.Options {
	o := journal.DefaultOptions(s.DataDir)
	o.Limits = sequencer.Limits{HoldDone: s.HoldDone, HoldNext: s.HoldNext, PerLane: s.HeldPerLane}
	o.HeldMax, o.DedupeWindow, o.DedupeMax, o.LanesCached = s.HeldMax, s.DedupeWindow, uint64(s.DedupeMax), s.LanesCached
	o.MaxBytes, o.MinFreeBytes = uint64(s.JournalMaxBytes), uint64(s.MinFreeBytes)
	o.QuarantineMax, o.QuarantineMaxAge, o.DeadLettersMax = s.QuarantineMax, s.QuarantineMaxAge, s.DeadLettersMax
	o.Keep, o.KeepBytes = s.JournalKeep, uint64(s.JournalKeepBytes)
	o.SignatureReuse, o.PublishQuarantine = s.SignatureReuse == "accept", s.QuarantineTopic != ""
	o.SessionEvents, o.SessionStaleAfter = s.SessionEvents, s.SessionStaleAfter
	o.Types, _ = bridge.SelectTypes(s.PublishTypes) // cannot fail: settings.check has tried it
	return o
}

// embeddedOptions returns the options of the embedded NATS server, but for the number of its consumers.
func (s *settings) embeddedOptions() embedded.Options {
	return embedded.Options{StoreDir: embedded.StoreDir(s.DataDir), Listen: s.NATSListen, Token: s.NATSEmbedToken,
		TokenFile: s.secretFiles["NATS_EMBEDDED_TOKEN"], ReadFile: filewatch.Read}
}

// natsOptions returns the options of a client of NATS.
func (s *settings) natsOptions(log *zap.Logger) nats.Options {
	o := nats.DefaultOptions()
	o.URL, o.Stream, o.SubjectPrefix, o.Quarantine = s.NATSURL, s.NATSStream, s.NATSPrefix, s.QuarantineTopic
	o.Partitions, o.SessionEvents = s.NATSPartitions, s.ReconcileEvents || s.SessionEvents
	o.Replicas, o.MaxAge, o.MaxBytes = s.NATSReplicas, s.NATSMaxAge, int64(s.NATSMaxBytes)
	o.QuarantineMaxBytes, o.Dedupe, o.InboxPrefix = int64(s.QuarantineBytes), s.DedupeWindow, s.NATSInbox
	o.CredsFile, o.NKeyFile, o.Token = s.NATSCredsFile, s.NATSNKeyFile, s.NATSToken
	o.User, o.Password = s.NATSUser, s.NATSPassword
	o.PasswordFile, o.TokenFile, o.ReadFile = s.secretFiles["NATS_PASSWORD"], s.secretFiles["NATS_TOKEN"], filewatch.Read
	o.CAFile, o.CertFile, o.KeyFile = s.NATSCAFile, s.NATSCertFile, s.NATSKeyFile
	o.TLSVerify, o.TLSServerName = s.NATSTLSVerify, s.NATSServerName
	o.Binary, o.Log = s.EventMode == "binary", log
	return o
}

// kafkaOptions returns the options of a client of Kafka.
func (s *settings) kafkaOptions(log *zap.Logger) kafka.Options {
	o := kafka.DefaultOptions()
	o.Brokers, o.Topic, o.Quarantine, o.Dedupe = s.KafkaBrokers, s.KafkaTopic, s.QuarantineTopic, s.DedupeWindow
	o.Create, o.Partitions, o.Replication = s.KafkaCreate, s.KafkaPartitions, s.KafkaReplication
	o.Compression = s.KafkaCompression
	o.SASL, o.User, o.Password = s.KafkaSASL, s.KafkaUser, s.KafkaPassword
	o.PasswordFile, o.ReadFile = s.secretFiles["KAFKA_PASSWORD"], filewatch.Read
	o.TLS, o.CAFile, o.CertFile, o.KeyFile = s.KafkaTLS, s.KafkaCAFile, s.KafkaCertFile, s.KafkaKeyFile
	o.TLSVerify, o.TLSServerName = s.KafkaTLSVerify, s.KafkaServerName
	o.Binary, o.Log = s.EventMode == "binary", log
	return o
}

// queueOptions returns the options of the queue of callbacks that the broker has not acknowledged.
func (s *settings) queueOptions(log *zap.Logger) store.QueueOptions {
	return store.QueueOptions{Dir: filepath.Join(s.DataDir, "intake"), FS: store.Disk(),
		MaxBytes: uint64(s.JournalMaxBytes), MinFreeBytes: uint64(s.MinFreeBytes), Log: log}
}

// clusterOptions returns the options of a replica, but for what it shares.
func (s *settings) clusterOptions() cluster.Options {
	o := cluster.DefaultOptions(filepath.Join(s.DataDir, "partitions"))
	limits := s.journalOptions()
	o.Limits = limits.Processor()
	return o
}
