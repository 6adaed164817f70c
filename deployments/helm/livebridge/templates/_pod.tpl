{{- /* Secrets as volumes: name -> Secret. Their files are mounted below /run/secrets/livebridge. */}}
{{- define "livebridge.secrets" -}}
{{- $nats := .Values.nats }}
{{- $kafka := .Values.kafka }}
keys: {{ .Values.existingSecret | quote }}
tls: {{ .Values.tls.existingSecret | quote }}
{{- if eq .Values.transport "kafka" }}
broker: {{ eq $kafka.sasl.mechanism "none" | ternary "" $kafka.sasl.existingSecret | quote }}
broker-client: {{ $kafka.tls.enabled | ternary $kafka.tls.clientSecret "" | quote }}
{{- else if $nats.url }}
broker: {{ $nats.auth.existingSecret | quote }}
broker-client: {{ $nats.tls.clientSecret | quote }}
{{- else }}
broker: {{ $nats.embedded.expose | ternary $nats.embedded.existingSecret "" | quote }}
{{- end }}
{{- end }}

{{- /* The authority of the broker, as YAML; empty: none. */}}
{{- define "livebridge.brokerCA" -}}
{{- if and (eq .Values.transport "kafka") .Values.kafka.tls.enabled }}
{{- toYaml .Values.kafka.tls.ca }}
{{- else if and (eq .Values.transport "nats") .Values.nats.url }}
{{- toYaml .Values.nats.tls.ca }}
{{- end }}
{{- end }}

{{- /* Without a fsGroup a file of a Secret belongs to root, and livebridge reads it only if everybody may. */}}
{{- define "livebridge.secretMode" -}}
{{- if and (has .Values.workload (list "sidecar" "none")) (not (.Values.application.podSecurityContext).fsGroup) }}0444{{ else }}0440{{ end }}
{{- end }}

{{- define "livebridge.volumes" -}}
{{- range $name, $secret := include "livebridge.secrets" . | fromYaml }}
{{- if $secret }}
- name: livebridge-{{ $name }}
  secret: {secretName: {{ $secret }}, defaultMode: {{ include "livebridge.secretMode" $ }}}
{{- end }}
{{- end }}
{{- with include "livebridge.brokerCA" . | fromYaml }}
{{- if .existingSecret }}
- name: livebridge-broker-ca
  secret: {secretName: {{ .existingSecret }}, defaultMode: 0444}
{{- else if .existingConfigMap }}
- name: livebridge-broker-ca
  configMap: {name: {{ .existingConfigMap }}}
{{- end }}
{{- end }}
{{- with .Values.persistence }}
{{- if and (eq $.Values.workload "replicas") (not $.Values.replicas.persistence) }}
# Deleted with the pod: what was answered 200 while Kafka was away, and could not be written there before the pod ended.
- name: livebridge-data
  emptyDir: {}
{{- else if and (not .enabled) (ne $.Values.workload "replicas") }}
# Deleted with the pod: a rollout, drain or eviction loses what was answered 200 and is not yet published.
- name: livebridge-data
  emptyDir: {}
{{- else if and .existingClaim (ne $.Values.workload "replicas") }}
- name: livebridge-data
  persistentVolumeClaim: {claimName: {{ .existingClaim }}}
{{- end }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "livebridge.volumeMounts" -}}
- {name: livebridge-data, mountPath: /data}
{{- range $name, $secret := include "livebridge.secrets" . | fromYaml }}
{{- if $secret }}
- {name: livebridge-{{ $name }}, mountPath: /run/secrets/livebridge/{{ $name }}, readOnly: true}
{{- end }}
{{- end }}
{{- with include "livebridge.brokerCA" . | fromYaml }}
{{- if or .existingSecret .existingConfigMap }}
- {name: livebridge-broker-ca, mountPath: /run/secrets/livebridge/broker-ca, readOnly: true}
{{- end }}
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "livebridge.container" -}}
name: livebridge
image: {{ include "livebridge.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args: [serve]
securityContext:
  runAsNonRoot: true
  runAsUser: 65534
  runAsGroup: 65534
  readOnlyRootFilesystem: true
  allowPrivilegeEscalation: false
  capabilities: {drop: [ALL]}
  seccompProfile: {type: RuntimeDefault}
env: {{- include "livebridge.env" . | trim | nindent 2 }}
ports:
  - {name: lb-callbacks, containerPort: {{ .Values.ports.callbacks }}}
  - {name: lb-admin, containerPort: {{ .Values.ports.admin }}}
  {{- if eq (include "livebridge.exposesNATS" .) "true" }}
  - {name: lb-nats, containerPort: {{ .Values.ports.nats }}}
  {{- end }}
startupProbe:
  httpGet: {path: /livez, port: lb-admin}
  periodSeconds: 1
  failureThreshold: {{ .Values.startupSeconds }}
livenessProbe:
  httpGet: {path: /livez, port: lb-admin}
{{- if or (has .Values.workload (list "standalone" "replicas")) .Values.application.readiness }}
readinessProbe:
  httpGet: {path: /readyz, port: lb-admin}
  periodSeconds: 2
{{- end }}
resources: {{- toYaml .Values.resources | nindent 2 }}
volumeMounts: {{- include "livebridge.volumeMounts" . | nindent 2 }}
{{- end }}

{{- /* livebridge as an init container that stays: what follows it starts when its startup probe has succeeded. */}}
{{- define "livebridge.sidecar" -}}
- restartPolicy: Always
  {{- include "livebridge.container" . | nindent 2 }}
{{- end }}

{{- /* Whether the pods have a volume that outlives them, from a template. */}}
{{- define "livebridge.claims" -}}
{{- if eq .Values.workload "replicas" }}{{ .Values.replicas.persistence }}
{{- else }}{{ and .Values.persistence.enabled (not .Values.persistence.existingClaim) }}{{ end }}
{{- end }}

{{- /* Fails where replicas could not share the work. */}}
{{- define "livebridge.checkReplicas" -}}
{{- if eq (include "livebridge.embedded" .) "true" }}
{{- fail "workload: replicas needs transport: kafka, or nats.url: the replicas share the topics or streams of that broker" }}
{{- end }}
{{- end }}

{{- define "livebridge.exposesNATS" -}}
{{- and (eq (include "livebridge.embedded" .) "true") .Values.nats.embedded.expose }}
{{- end }}

{{- /* Fails where a container of the application would collide with livebridge's. */}}
{{- define "livebridge.checkApplication" -}}
{{- $all := concat .Values.application.initContainers .Values.application.containers }}
{{- if not .Values.application.containers }}
{{- fail "application.containers is required with workload: sidecar" }}
{{- end }}
{{- range $container := $all }}
{{- if eq $container.name "livebridge" }}
{{- fail "application.containers: the name livebridge is taken by the sidecar" }}
{{- end }}
{{- range $port := $container.ports }}
{{- range $name, $number := $.Values.ports }}
{{- if eq (int $port.containerPort) (int $number) }}
{{- fail (printf "port %d is used by the container %s of the application: set ports.%s to another one" (int $number) $container.name $name) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- /* livebridge's ports in ascending order, as JSON. */}}
{{- define "livebridge.ownPorts" -}}
{{- $ports := list (int .Values.ports.callbacks) (int .Values.ports.admin) }}
{{- if eq (include "livebridge.exposesNATS" .) "true" }}{{ $ports = append $ports (int .Values.ports.nats) }}{{ end }}
{{- $padded := list }}
{{- range $ports }}{{ $padded = append $padded (printf "%05d" .) }}{{ end }}
{{- $sorted := list }}
{{- range sortAlpha $padded }}{{ $sorted = append $sorted (atoi .) }}{{ end }}
{{- $sorted | toJson }}
{{- end }}

{{- define "livebridge.embedded" -}}
{{- and (eq .Values.transport "nats") (empty .Values.nats.url) }}
{{- end }}
