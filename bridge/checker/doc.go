// Package checker judges a run of livebridge from outside: what a client sent and was answered, against what a consumer
// found on the topic. It knows the service's promises and nothing of its code, so it imports the vocabulary alone.
//
// A fault is a broken promise; the report tells each, with the lane and the event, and what could not be judged. What a
// promise allows is counted and is no fault: an event published twice the same, a callback without an answer that came
// out, or did not.
//
//	c := checker.New(checker.Config{HoldDone: 10 * time.Second, HoldNext: 3 * time.Second})
//	for _, s := range sent { c.Sent(s) }
//	for _, e := range topic { c.Out(e) } // in topic order
//	c.Report().WriteTo(os.Stdout)
package checker
