package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/cluster"
	"livebridge/bridge/journal"
	"livebridge/bridge/processor"
)

func newImport(e *environment) *cobra.Command {
	var wait time.Duration
	c := &cobra.Command{
		Use: "import", Short: "Bring what replicas remember back into the journal, to go on with INTAKE=local",
		Args: noArguments,
		Long: "Takes over all partitions of the replicas, finishes what waits there, and brings what they remember (ids,\n" +
			"signatures, lanes with their sequences, quarantine and dead letters) into the journal of DATA_DIR. Run it with\n" +
			"the settings of the replicas, once all of them have stopped; then start the service with INTAKE=local. An\n" +
			"import that was interrupted is run again.",
		Example: "  livebridge journal import",
		RunE: func(c *cobra.Command, _ []string) error {
			return e.withReplicaSettings(c, func(ctx context.Context, s *settings, log *zap.Logger) error {
				i := &importer{s: s, log: log, wait: wait}
				return errors.Join(i.run(ctx), i.close())
			})
		},
	}
	c.Flags().DurationVar(&wait, "wait", time.Minute,
		"how long to wait for the partitions: those of a replica that was killed are free when its session is over")
	return c
}

// importer is one run of the command.
type importer struct {
	s       *settings
	log     *zap.Logger
	wait    time.Duration // for the partitions, and for what waits there
	mark    memoryMark
	journal *journal.Journal
	shared  shared
	cluster *cluster.Cluster
}

// run does what is left to do.
func (i *importer) run(ctx context.Context) error {
	for _, step := range i.steps() {
		if err := step(ctx); err != nil {
			return err
		}
	}
	i.log.Info("the journal has what the replicas remember; start the service with INTAKE=local")
	return nil
}

// steps are those of an import. One that ends between two of them, or within one, is begun again from the first.
func (i *importer) steps() []func(context.Context) error {
	return []func(context.Context) error{i.check, i.open, i.takeOver, i.begin, i.remember, i.purgeReplicas, i.finish}
}

// check returns an error where the partitions do not have everything, or are others.
func (i *importer) check(context.Context) (err error) {
	if i.mark, err = readMemoryMark(i.s.DataDir); err != nil {
		return err
	}
	if at := i.s.memoryAt(i.s.transport()); i.mark.State != memoryLocal && i.mark.At != at {
		return &usageError{settingError("INTAKE", "run the command with the settings of those",
			"is broker, with replicas of %s, and what the service remembers is at those of %s", at, i.mark.At)}
	}
	waiting, err := i.s.queueWaits(i.log)
	if err == nil && waiting {
		return &usageError{settingError("INTAKE", "start a replica on DATA_DIR until they are there",
			"is broker, and %s has callbacks that were answered 200 and must still reach the broker", i.s.DataDir)}
	}
	return errors.Join(err, i.s.checkJournalEmpty(i.log))
}

// open opens the journal, a new one where there is none, and what the replicas share.
func (i *importer) open(ctx context.Context) error {
	o := i.s.journalOptions()
	o.Log = i.log
	var err error
	if i.journal, err = journal.OpenOffline(o, journal.ReadWrite); errors.Is(err, journal.ErrNoJournal) {
		i.journal, err = createJournal(o)
	}
	if err != nil {
		return dataDirError(err)
	}
	if i.shared, err = i.s.transport().share(ctx, i.log); err != nil {
		return err
	}
	i.cluster = cluster.New(i.options())
	return nil
}

// createJournal creates a journal and opens it.
func createJournal(o journal.Options) (*journal.Journal, error) {
	j, err := journal.Open(o)
	if err == nil {
		err = j.Close()
	}
	if err != nil {
		return nil, err
	}
	return journal.OpenOffline(o, journal.ReadWrite)
}

// takeOver has this process be the only replica, until nothing is left to decide. It completes a hand-over that was
// interrupted before.
func (i *importer) takeOver(ctx context.Context) (err error) {
	if i.mark.State == memoryImported {
		return nil
	}
	if i.mark.State == memoryHandingOver {
		if err := handOverMemory(ctx, i.s, i.journal, i.shared, i.mark.Salt, i.log); err != nil {
			return err
		}
	}
	members, err := i.shared.Join()
	if err != nil {
		return err
	}
	i.cluster = cluster.New(i.options())
	working, end := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- i.cluster.Run(working, members) }()
	err = i.settle(ctx)
	end()
	return errors.Join(err, <-ended)
}

// settle waits until this process is the only replica and nothing is left to decide.
func (i *importer) settle(ctx context.Context) error {
	joining, cancel := context.WithTimeout(ctx, i.wait)
	defer cancel()
	if err := i.cluster.AwaitAll(joining); err != nil {
		return fmt.Errorf("%w: stop them, and run the command again", err)
	}
	settling, cancel := context.WithTimeout(ctx, i.wait+max(i.s.HoldDone, i.s.HoldNext))
	defer cancel()
	return i.cluster.Settle(settling)
}

// options are those of a replica.
func (i *importer) options() cluster.Options {
	o := i.s.clusterOptions()
	o.Intake, o.Partitions, o.Log = i.shared, i.shared, i.log
	return o
}

// begin makes room in the journal: what it still has for review has been at the partitions.
func (i *importer) begin(context.Context) error {
	switch i.mark.State {
	case memoryImporting, memoryImported:
		return nil
	case memoryLocal: // it is another service's, or nobody's
	default:
		if err := i.purge(); err != nil {
			return err
		}
	}
	i.mark = memoryMark{At: i.s.memoryAt(i.s.transport()), State: memoryImporting}
	if _, err := rand.Read(i.mark.Salt[:]); err != nil {
		return err
	}
	return i.mark.write(i.s.DataDir)
}

// remember has the journal remember what the partitions do.
func (i *importer) remember(ctx context.Context) error {
	if i.mark.State == memoryImported {
		return nil
	}
	pieces := processor.NewPacker(i.mark.Salt, i.journal.Remember)
	below, err := i.cluster.Memory(ctx, pieces.Add)
	if err == nil {
		err = pieces.Flush()
	}
	if err != nil {
		return err
	}
	i.mark.State, i.mark.Below = memoryImported, below
	return i.mark.write(i.s.DataDir)
}

// purgeReplicas has the partitions give up what is in the journal now for review.
func (i *importer) purgeReplicas(ctx context.Context) error {
	return i.cluster.PurgeBelow(ctx, i.mark.Below)
}

// finish notes that the memory is local.
func (i *importer) finish(context.Context) error {
	i.mark = memoryMark{}
	return i.mark.write(i.s.DataDir)
}

// purge takes everything off the journal's review queues.
func (i *importer) purge() error {
	for _, q := range []bridge.ReviewQueue{bridge.QuarantineQueue, bridge.DeadLetterQueue} {
		for {
			entries, err := i.journal.List(q, bridge.Query{})
			if err != nil {
				return err
			}
			if len(entries) == 0 {
				break
			}
			numbers := make([]uint64, len(entries))
			for n := range entries {
				numbers[n] = entries[n].Number
			}
			if _, err := i.journal.Purge(q, numbers); err != nil {
				return err
			}
		}
	}
	return nil
}

// close closes what is open.
func (i *importer) close() (err error) {
	if i.shared != nil {
		ctx, cancel := context.WithTimeout(context.Background(), i.wait)
		defer cancel()
		err = i.shared.Close(ctx)
	}
	if i.journal != nil {
		err = errors.Join(err, i.journal.Close())
	}
	return err
}
