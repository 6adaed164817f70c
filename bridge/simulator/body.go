package simulator

import (
	"strconv"
	"time"

	"livebridge/bridge"
)

// streamBody is stream status, its members in the order of the provider's example.
type streamBody struct {
	Domain        string `json:"domain"`
	App           string `json:"app"`
	Stream        string `json:"stream"`
	UserArgs      string `json:"user_args"`
	ClientIP      string `json:"client_ip"`
	NodeIP        string `json:"node_ip"`
	Session       any    `json:"publish_timestamp"`
	Event         string `json:"event"`
	AuthTimestamp any    `json:"auth_timestamp,omitempty"`
	AuthSign      string `json:"auth_sign,omitempty"`
}

func (d outgoing) stream() streamBody {
	session, lane := strconv.FormatInt(d.base+d.Session, 10), d.Lane()
	if d.Numbers == 2 {
		session += ","
	}
	return streamBody{
		Domain: lane.Domain, App: lane.App, Stream: d.Stream, UserArgs: "auth_info=simulated", ClientIP: "192.0.2.1",
		NodeIP: d.Name(d.base), Session: number(session, d.Numbers != 1), Event: d.Event,
		AuthTimestamp: d.authTimestamp(d.keys.Stream), AuthSign: d.sign(bridge.SchemeHMAC, d.keys.Stream, ""),
	}
}

// recording has the members that recordings of Live and SparkRTC share. Those of a file are absent until it is
// complete.
type recording struct {
	JobID       string `json:"job_id"`
	Event       string `json:"event_type"`
	Format      string `json:"record_format"`
	DownloadURL string `json:"download_url,omitempty"`
	FileSize    any    `json:"file_size,omitempty"`
	Duration    any    `json:"record_duration,omitempty"`
	StartTime   string `json:"start_time"`
	EndTime     string `json:"end_time,omitempty"`
	Width       any    `json:"width,omitempty"`
	Height      any    `json:"height,omitempty"`
	OBSLocation string `json:"obs_location"`
	OBSBucket   string `json:"obs_bucket"`
	OBSObject   string `json:"obs_object"`
}

func (d outgoing) recording() recording {
	job, start := d.Name(d.base), time.Unix(d.base+d.Session, 0).UTC()
	r := recording{
		JobID: job, Event: d.Event, Format: "HLS", StartTime: start.Format(time.RFC3339),
		OBSLocation: "cn-north-4", OBSBucket: "recordings", OBSObject: "live/" + job + ".m3u8",
	}
	if d.Event == "RECORD_FILE_COMPLETE" {
		text := d.Numbers != 0
		r.DownloadURL = "https://obs.example.com/" + r.OBSObject
		r.EndTime = start.Add(time.Second).Format(time.RFC3339)
		r.FileSize, r.Duration = number("3957964", text), number("1", text)
		r.Width, r.Height = number("1280", text), number("720", text)
	}
	return r
}

// recordBody is a Live recording.
type recordBody struct {
	ProjectID string `json:"project_id"`
	TaskID    string `json:"task_id"`
	recording
	Domain        string `json:"publish_domain"`
	App           string `json:"app"`
	Stream        string `json:"stream"`
	ErrorMessage  string `json:"error_message,omitempty"`
	AuthTimestamp any    `json:"auth_timestamp,omitempty"`
	AuthSign      string `json:"auth_sign,omitempty"`
}

func (d outgoing) record() recordBody {
	lane := d.Lane()
	b := recordBody{
		ProjectID: "70b76example", TaskID: "task-" + d.Name(d.base), recording: d.recording(),
		Domain: lane.Domain, App: lane.App, Stream: d.Stream, AuthTimestamp: d.authTimestamp(d.keys.Record),
	}
	if d.Event == "RECORD_FAILED" {
		b.ErrorMessage = "the bucket cannot be written"
	}
	b.AuthSign = d.sign(d.keys.RecordScheme, d.keys.Record, b.DownloadURL)
	return b
}

// rtcRecordBody is a SparkRTC recording; it is signed in headers.
type rtcRecordBody struct {
	AppID  string `json:"app_id"`
	RoomID string `json:"room_id"`
	Stream string `json:"stream_name"`
	recording
}

func (d outgoing) rtcRecord() rtcRecordBody {
	lane := d.Lane()
	return rtcRecordBody{AppID: lane.Domain, RoomID: lane.App, Stream: d.Stream, recording: d.recording()}
}

// snapshotBody is a snapshot. It is unsigned, since the provider documents no signature for it.
type snapshotBody struct {
	Domain  string `json:"domain"`
	App     string `json:"app"`
	Stream  string `json:"stream_name"`
	URL     string `json:"snapshot_url"`
	Width   any    `json:"width"`
	Height  any    `json:"height"`
	OBSAddr struct {
		Bucket   string `json:"bucket"`
		Location string `json:"location"`
		Object   string `json:"object"`
	} `json:"obs_addr"`
}

func (d outgoing) snapshot() snapshotBody {
	lane := d.Lane()
	b := snapshotBody{
		Domain: lane.Domain, App: lane.App, Stream: d.Stream, URL: d.Name(d.base),
		Width: number("1280", d.Numbers != 0), Height: number("720", d.Numbers != 0),
	}
	b.OBSAddr.Bucket, b.OBSAddr.Location, b.OBSAddr.Object = "snapshots", "cn-north-4", d.Stream+".jpg"
	return b
}
