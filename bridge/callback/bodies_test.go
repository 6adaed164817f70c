package callback_test

import "livebridge/bridge"

// fixedNow is the clock of the tests: 2026-01-02T03:04:05.678Z.
const fixedNow = bridge.Millis(1767323045678)

// vendorStream is the example of the vendor's page on stream status notifications, values and all.
const vendorStream = `{
    "domain":"push.example.com",
    "app":"live",
    "stream":"example_stream",
    "user_args":"auth_info=yz1TG0PVN/5isfyrGrRj10gKPCWqSS2X02t6QsRrocH+mEq0gQ0g8k6KhalS84sQ+kDprFyqI0yajbYiFmUO8e45B7ryaS+MpJBlYkhwnuFLnRiKK/IXG7.33436b625354564f6e4d4d434f55&cdn=hw",
    "client_ip":"100.111.*.*",
    "node_ip":"112.11.*.*",
    "publish_timestamp":"1587954134",
    "event":"PUBLISH",
    "auth_timestamp":1587954140,
    "auth_sign":"ff3b2bxxx5cfd56e76d72bed4c4aa2dxxxca8c2e46467d205a6417d4fc"
}`

// vendorRecord is the example of the vendor's page on recording callbacks.
const vendorRecord = `{
    "project_id": "70b76xxxxxx34253880af501cdxxxxxx",
    "job_id": "dc0a1773-0cef-xxxx-xxxx-9a38fdb095d2",
    "task_id": "51126d0ebe94b1da00d2e21a10xxxxxx",
    "event_type": "RECORD_FILE_COMPLETE",
    "publish_domain": "push.example.com",
    "app": "live",
    "stream": "mystream",
    "record_format": "HLS",
    "download_url": "https://obs.cn-north-4.myhuaweicloud.com/live/record-xxxx-mystream-1589967495/record-push.example.com-live-mystream-1589967495.m3u8",
    "asset_id": "1a0d8e9bfaexxxxxxbe5021e62aa1e96",
    "file_size": 3957964,
    "record_duration": 120,
    "start_time": "2020-03-08T14:10:25Z",
    "end_time": "2020-03-08T14:12:25Z",
    "width": 1280,
    "height": 720,
    "obs_location": "https://obs.cn-north-4.myhuaweicloud.com",
    "obs_bucket": "mybucket",
    "obs_object": "live/record-xxxx-mystream-1589967495/record-hwpublish.myun.tv-live-mystream-1589967495.m3u8",
    "auth_sign": "4f97f46759axxxxxx7ad21e9935dc175",
    "auth_timestamp": 1583676745
}`

// snapshotBody is made from the member list of the vendor's FAQ.
const snapshotBody = `{"domain":"push.example.com","app":"live","stream_name":"room1",` +
	`"snapshot_url":"https://example.com/room1.jpg?x=1","width":"1280","height":720,` +
	`"obs_addr":{"bucket":"pictures","location":"cn-north-4","object":"live/room1.jpg"}}`
