package rotation

import (
	"time"

	"livebridge/bridge"
	"livebridge/bridge/admin"
)

// Without returns the URLs of the instances where a key is not in force.
func Without(all []admin.Instance, k bridge.Kind, id string) (urls []string) {
	for _, i := range all {
		if _, active := i.Key(k.String(), id); !active {
			urls = append(urls, i.URL)
		}
	}
	return urls
}

// With returns the URLs of the instances where a key is in force.
func With(all []admin.Instance, k bridge.Kind, id string) (urls []string) {
	for _, i := range all {
		if _, active := i.Key(k.String(), id); active {
			urls = append(urls, i.URL)
		}
	}
	return urls
}

// Usage is how a key is used at all instances together.
type Usage struct {
	Active bool // in force at one of them at least

	// Idle is for how long no instance has used the key. An instance counts from its last use, or from its start, before
	// which nothing is known of it. Where it does not say when that was, from since.
	Idle time.Duration
	// Replaced says that another key of this kind was used after the last use of this one, at any instance: the provider
	// has switched.
	Replaced bool
}

// UsageOf returns how a key is used. since is when the first of these reports was read, by the local clock, of which
// now is the time.
func UsageOf(all []admin.Instance, k bridge.Kind, id string, since, now time.Time) Usage {
	u := Usage{Idle: 1<<63 - 1}
	var last, lastOther time.Duration = 1<<63 - 1, 1<<63 - 1 // ago, since the clocks of instances differ
	for _, i := range all {
		for _, key := range i.Keys {
			if key.Kind != k.String() {
				continue
			}
			ago := i.Now.Sub(key.LastUse)
			switch {
			case key.ID == id:
				u.Active = true
				u.Idle = min(u.Idle, idle(i, key, now.Sub(since)))
				if !key.LastUse.IsZero() {
					last = min(last, ago)
				}
			case !key.LastUse.IsZero():
				lastOther = min(lastOther, ago)
			}
		}
	}
	u.Replaced = lastOther < last
	return u
}

// idle is for how long one instance has not used a key, as far as it is known.
func idle(i admin.Instance, key admin.ActiveKey, observed time.Duration) time.Duration {
	switch {
	case !key.LastUse.IsZero():
		return i.Now.Sub(key.LastUse)
	case !i.Started.IsZero():
		return i.Now.Sub(i.Started)
	}
	return observed
}
