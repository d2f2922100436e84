{{- define "smsbus.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- /* What selects the pods of a part. It can never be changed: a StatefulSet's selector is immutable. */ -}}
{{- define "smsbus.selector" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride | trunc 63 | trimSuffix "-" | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .part }}
{{- end -}}

{{- define "smsbus.labels" -}}
{{ include "smsbus.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "smsbus.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- end -}}
{{- end -}}

{{- /* The accounts of a part, by name, as YAML: those of PingMe, or the polled ones. */ -}}
{{- define "smsbus.accounts" -}}
{{- $accounts := dict -}}
{{- range $name, $account := .root.Values.accounts -}}
{{- if eq (eq $account.provider "pingme") (eq $.part "receiver") -}}
{{- $_ := set $accounts $name $account -}}
{{- end -}}
{{- end -}}
{{- toYaml $accounts -}}
{{- end -}}

{{- /* A setting's value as text; a list with commas, a number without an exponent. */ -}}
{{- define "smsbus.text" -}}
{{- if kindIs "string" . }}{{ . }}{{ else if kindIs "slice" . }}{{ join "," . }}{{ else }}{{ toJson . }}{{ end -}}
{{- end -}}

{{- define "smsbus.sections" -}}
{{- range $section := .sections }}
{{- range $name, $value := index $.root.Values.settings $section }}
- {name: SMSBUS_{{ upper $section }}__{{ upper $name }}, value: {{ include "smsbus.text" $value | quote }}}
{{- end }}
{{- end }}
{{- end -}}

{{- define "smsbus.accountVariables" -}}
{{- $secret := ternary "callback-tokens" "api-key" (eq .part "receiver") -}}
{{- range $name, $account := include "smsbus.accounts" . | fromYaml }}
{{- range $setting, $value := $account }}
- {name: SMSBUS_ACCOUNTS__{{ upper $name }}__{{ upper $setting }}, value: {{ include "smsbus.text" $value | quote }}}
{{- end }}
- {name: SMSBUS_ACCOUNTS__{{ upper $name }}__{{ $secret | upper | replace "-" "_" }}_FILE, value: {{ $.directory }}/{{ $name }}-{{ $secret }}}
{{- end }}
{{- end -}}

{{- define "smsbus.targetVariables" -}}
{{- range $name, $target := .root.Values.forwards }}
{{- range $setting, $value := $target }}
- {name: SMSBUS_FORWARDS__{{ upper $name }}__{{ upper $setting }}, value: {{ include "smsbus.text" $value | quote }}}
{{- end }}
- {name: SMSBUS_FORWARDS__{{ upper $name }}__URL_FILE, value: /etc/smsbus/secrets/{{ $name }}-url}
- {name: SMSBUS_FORWARDS__{{ upper $name }}__SECRET_FILE, value: /etc/smsbus/secrets/{{ $name }}-secret}
{{- end }}
{{- end -}}

{{- define "smsbus.kafkaUser" -}}
{{- default (printf "%s-%s" (include "smsbus.fullname" .root) (default .part .as)) .values.kafkaUser -}}
{{- end -}}

{{- define "smsbus.kafkaProtocol" -}}
{{- $protocol := default "PLAINTEXT" .Values.settings.kafka.security_protocol -}}
{{- if and (or .Values.kafka.caSecret .Values.kafka.clientCertificate) (not (hasSuffix "SSL" $protocol)) -}}
{{- fail (printf "kafka.caSecret and kafka.clientCertificate need settings.kafka.security_protocol SSL or SASL_SSL, not %s" $protocol) -}}
{{- end -}}
{{- $protocol -}}
{{- end -}}

{{- define "smsbus.kafkaVariables" -}}
{{- if hasPrefix "SASL" (include "smsbus.kafkaProtocol" .root) }}
- {name: SMSBUS_KAFKA__SASL_PLAIN_USERNAME, value: {{ include "smsbus.kafkaUser" . | quote }}}
- {name: SMSBUS_KAFKA__SASL_PLAIN_PASSWORD_FILE, value: /etc/smsbus/kafka/password}
{{- end }}
{{- if .root.Values.kafka.caSecret }}
- {name: SMSBUS_KAFKA__SSL_CAFILE, value: /etc/smsbus/kafka/ca.crt}
{{- end }}
{{- if .root.Values.kafka.clientCertificate }}
- {name: SMSBUS_KAFKA__SSL_CERTFILE, value: /etc/smsbus/kafka/user.crt}
- {name: SMSBUS_KAFKA__SSL_KEYFILE, value: /etc/smsbus/kafka/user.key}
{{- end }}
{{- end -}}

{{- /* The files of the Kafka login; empty where it needs none. */ -}}
{{- define "smsbus.kafkaFiles" -}}
{{- $sasl := hasPrefix "SASL" (include "smsbus.kafkaProtocol" .root) -}}
{{- with .root.Values.kafka.caSecret }}
- secret: {name: {{ . | quote }}, items: [{key: ca.crt, path: ca.crt}]}
{{- end }}
{{- if or $sasl .root.Values.kafka.clientCertificate }}
- secret:
    name: {{ default (include "smsbus.kafkaUser" .) .values.kafkaSecret | quote }}
    items:
      {{- if $sasl }}
      - {key: password, path: password}
      {{- end }}
      {{- if .root.Values.kafka.clientCertificate }}
      - {key: user.crt, path: user.crt}
      - {key: user.key, path: user.key}
      {{- end }}
{{- end }}
{{- end -}}

{{- define "smsbus.secret" -}}
{{- $what := dict "receiver" "tokens" "pollers" "keys" "inbox" "tokens" "forward" "targets" -}}
{{- default (printf "%s-%s-%s" (include "smsbus.fullname" .root) .part (index $what .part)) .values.existingSecret -}}
{{- end -}}

{{- define "smsbus.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "smsbus.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- /* What every pod has; `enableServiceLinks`: else Kubernetes puts SMSBUS_…_PORT=tcp://… beside our own variables. */ -}}
{{- define "smsbus.podBase" -}}
enableServiceLinks: false
automountServiceAccountToken: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toJson . }}
{{- end }}
securityContext:
  {{- include "smsbus.podSecurity" . | nindent 2 }}
{{- end -}}

{{- define "smsbus.scheduling" -}}
{{- with .values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
{{- if .values.topologySpreadConstraints }}
  {{- toYaml .values.topologySpreadConstraints | nindent 2 }}
{{- else }}
{{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "smsbus.selector" $ | nindent 8 }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* The pod template of a part: `args`, `sections` of the settings, `lameDuck` in seconds, `journal`. */ -}}
{{- define "smsbus.pod" -}}
metadata:
  labels:
    {{- include "smsbus.selector" . | nindent 4 }}
    {{- with merge (dict) .values.podLabels .root.Values.commonLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- include "smsbus.podBase" .root | nindent 2 }}
  terminationGracePeriodSeconds: {{ add 35 (ceil .lameDuck) }} # the lame duck, then the drain (20 s) and the watchdog (28 s)
  {{- include "smsbus.scheduling" . | nindent 2 }}
  containers:
    - name: smsbus
      image: {{ include "smsbus.image" .root }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      args: {{ toJson .args }}
      env:
        - {name: SMSBUS_DATA_DIR, value: {{ ternary "/var/lib/smsbus" "/tmp" .journal }}}
        - {name: SMSBUS_ADMIN__HOST, value: 0.0.0.0}
        - {name: SMSBUS_ADMIN__TOKEN_FILE, value: /etc/smsbus/secrets/admin-token}
        {{- if .values.readToken }}
        - {name: SMSBUS_ADMIN__READ_TOKEN_FILE, value: /etc/smsbus/secrets/read-token}
        {{- end }}
        {{- include "smsbus.sections" . | nindent 8 }}
        {{- include "smsbus.kafkaVariables" . | nindent 8 }}
        {{- if has .part (list "receiver" "pollers") }}
        {{- include "smsbus.accountVariables" (merge (dict "directory" "/etc/smsbus/secrets") .) | nindent 8 }}
        {{- else if eq .part "forward" }}
        {{- include "smsbus.targetVariables" . | nindent 8 }}
        {{- else if .values.commands }}
        {{- include "smsbus.accountVariables" (merge (dict "directory" "/etc/smsbus/keys") .) | nindent 8 }}
        {{- end }}
        {{- with .values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      ports:
        {{- if eq .part "receiver" }}
        - {name: http, containerPort: 8080}
        {{- end }}
        - {name: admin, containerPort: 8081}
      startupProbe: # it listens once the journal has been read: 1 GiB from a slow volume takes its time
        httpGet: {path: /livez, port: admin}
        periodSeconds: 2
        timeoutSeconds: 2
        failureThreshold: 150
      livenessProbe:
        httpGet: {path: /livez, port: admin}
        periodSeconds: 10
        timeoutSeconds: 3
      readinessProbe:
        httpGet: {path: /readyz, port: admin}
        periodSeconds: 2
        timeoutSeconds: 2
      resources:
        {{- toYaml .values.resources | nindent 8 }}
      securityContext:
        {{- include "smsbus.containerSecurity" . | nindent 8 }}
      volumeMounts:
        {{- if .journal }}
        - {name: journal, mountPath: /var/lib/smsbus}
        {{- end }}
        - {name: secrets, mountPath: /etc/smsbus/secrets, readOnly: true}
        {{- if .values.commands }}
        - {name: keys, mountPath: /etc/smsbus/keys, readOnly: true}
        {{- end }}
        {{- if include "smsbus.kafkaFiles" . }}
        - {name: kafka, mountPath: /etc/smsbus/kafka, readOnly: true}
        {{- end }}
        - {name: tmp, mountPath: /tmp}
  volumes:
    - name: secrets
      secret: {secretName: {{ include "smsbus.secret" . | quote }}, defaultMode: 0440} # the group is fsGroup
    {{- if .values.commands }}
    - name: keys
      secret:
        secretName: {{ include "smsbus.secret" (dict "root" .root "part" "pollers" "values" .root.Values.pollers) | quote }}
        defaultMode: 0440
        items:
          {{- range $name, $_ := include "smsbus.accounts" . | fromYaml }}
          - {key: {{ $name }}-api-key, path: {{ $name }}-api-key}
          {{- end }}
    {{- end }}
    {{- include "smsbus.kafkaVolume" . | nindent 4 }}
    - name: tmp
      emptyDir: {}
{{- end -}}

{{- define "smsbus.kafkaVolume" -}}
{{- with include "smsbus.kafkaFiles" . }}
- name: kafka
  projected:
    defaultMode: 0440
    sources:
      {{- . | nindent 6 }}
{{- end }}
{{- end -}}

{{- /* A StatefulSet whose replicas keep their journals on volumes. */ -}}
{{- define "smsbus.statefulSet" -}}
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ include "smsbus.fullname" .root }}-{{ .part }}
  labels:
    {{- include "smsbus.labels" . | nindent 4 }}
spec:
  serviceName: {{ .service }}
  {{- if not (kindIs "invalid" .values.replicas) }}
  replicas: {{ .values.replicas }}
  {{- end }}
  podManagementPolicy: Parallel
  updateStrategy: {type: RollingUpdate}
  persistentVolumeClaimRetentionPolicy: {whenDeleted: Retain, whenScaled: Retain} # SMS may wait in them
  selector:
    matchLabels:
      {{- include "smsbus.selector" . | nindent 6 }}
  template:
    {{- include "smsbus.pod" . | nindent 4 }}
  volumeClaimTemplates:
    - metadata: {name: journal}
      spec:
        accessModes: {{ toJson .values.persistence.accessModes }}
        {{- with .values.persistence.storageClass }}
        storageClassName: {{ . | quote }}
        {{- end }}
        resources:
          requests: {storage: {{ .values.persistence.size }}}
{{- end -}}

{{- /* A part that keeps nothing: its Deployment and its budget. */ -}}
{{- define "smsbus.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "smsbus.fullname" .root }}-{{ .part }}
  labels:
    {{- include "smsbus.labels" . | nindent 4 }}
spec:
  {{- if not (kindIs "invalid" .values.replicas) }}
  replicas: {{ .values.replicas }}
  {{- end }}
  strategy:
    rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
  selector:
    matchLabels:
      {{- include "smsbus.selector" . | nindent 6 }}
  template:
    {{- include "smsbus.pod" (merge (dict "args" (list "serve" "--role" .part) "journal" false "lameDuck" 0) .) | nindent 4 }}
---
{{ include "smsbus.budget" . }}
{{- end -}}

{{- define "smsbus.budget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "smsbus.fullname" .root }}-{{ .part }}
  labels:
    {{- include "smsbus.labels" . | nindent 4 }}
spec:
  {{- $budget := .values.podDisruptionBudget }}{{/* the default is maxUnavailable, and Kubernetes takes only one */}}
  {{- toYaml (ternary (omit $budget "maxUnavailable") $budget (hasKey $budget "minAvailable")) | nindent 2 }}
  selector:
    matchLabels:
      {{- include "smsbus.selector" . | nindent 6 }}
{{- end -}}

{{- /* A Job of one command that needs nothing but Kafka; its name changes with it, since a Job cannot be changed. */ -}}
{{- define "smsbus.job" -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "smsbus.fullname" .root }}-{{ .part }}-{{ list (include "smsbus.image" .root) .args .claim .root.Values.settings.kafka .root.Values.kafka .values | toJson | sha256sum | trunc 8 }}
  labels:
    {{- include "smsbus.labels" . | nindent 4 }}
spec:
  backoffLimit: 6
  template:
    metadata:
      labels:
        {{- include "smsbus.selector" . | nindent 8 }}
    spec:
      {{- include "smsbus.podBase" .root | nindent 6 }}
      restartPolicy: Never
      containers:
        - name: smsbus
          image: {{ include "smsbus.image" .root }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          args: {{ toJson .args }}
          env:
            - {name: SMSBUS_DATA_DIR, value: {{ ternary "/var/lib/smsbus" "/tmp" (not (empty .claim)) }}}
            {{- include "smsbus.sections" (merge (dict "sections" (list "bus" "kafka" "log")) .) | nindent 12 }}
            {{- include "smsbus.kafkaVariables" . | nindent 12 }}
          resources:
            requests: {cpu: 100m, memory: 128Mi}
            limits: {memory: 512Mi}
          securityContext:
            {{- include "smsbus.containerSecurity" . | nindent 12 }}
          volumeMounts:
            {{- if .claim }}
            - {name: journal, mountPath: /var/lib/smsbus}
            {{- end }}
            {{- if include "smsbus.kafkaFiles" . }}
            - {name: kafka, mountPath: /etc/smsbus/kafka, readOnly: true}
            {{- end }}
            - {name: tmp, mountPath: /tmp}
      volumes:
        {{- with .claim }}
        - name: journal
          persistentVolumeClaim: {claimName: {{ . | quote }}}
        {{- end }}
        {{- include "smsbus.kafkaVolume" . | nindent 8 }}
        - name: tmp
          emptyDir: {}
{{- end -}}
