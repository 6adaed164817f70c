package callback

import "livebridge/bridge"

// recording is the Live callback for a recording that changes state.
var recording = definition{
	kind:    bridge.KindRecord,
	unknown: "com.huaweicloud.live.record" + bridge.TypeUnknownSuffix,
	words: []word{
		{name: "RECORD_START", typ: "com.huaweicloud.live.record.start"},
		{name: "RECORD_NEW_FILE_START", typ: "com.huaweicloud.live.record.new_file_start"},
		{name: "RECORD_FILE_COMPLETE", typ: "com.huaweicloud.live.record.file_complete", names: true},
		{name: "RECORD_OVER", typ: "com.huaweicloud.live.record.over"},
		{name: "RECORD_FAILED", typ: "com.huaweicloud.live.record.failed"},
	},
	members: []member{
		{in: "app", out: "app", role: roleApp, need: required, limit: appMax},
		{in: "asset_id", out: "asset_id"},
		{in: "publish_domain", out: "domain", shape: host, role: roleDomain, need: required, limit: domainMax},
		{in: "download_url", out: "download_url", role: roleDownload},
		{in: "end_time", out: "end_time", shape: instant, role: roleEnd},
		{in: "error_message", out: "error_message"},
		{in: "event_type", out: "event", role: roleWord, need: required},
		{in: "file_size", out: "file_size", shape: integer},
		{in: "height", out: "height", shape: integer},
		{in: "job_id", out: "job_id"},
		{in: "obs_bucket", out: "obs_bucket"},
		{in: "obs_location", out: "obs_location"},
		{in: "obs_object", out: "obs_object"},
		{in: "play_url", out: "play_url", role: rolePlay},
		{in: "project_id", out: "project_id"},
		{in: "record_duration", out: "record_duration", shape: integer},
		{in: "record_format", out: "record_format"},
		{in: "start_time", out: "start_time", shape: instant, role: roleStart},
		{in: "stream", out: "stream", role: roleStream, need: required, limit: streamMax},
		{in: "task_id", out: "task_id"},
		{out: "unrecognized", shape: remainder},
		{in: "width", out: "width", shape: integer},
		{in: "auth_sign", shape: signing, role: roleAuthSign},
		{in: "auth_timestamp", shape: signing, role: roleAuthTimestamp},
	},
}
