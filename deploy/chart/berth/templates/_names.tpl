{{- define "berth.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "berth.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 53 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 53 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "berth.selectorLabels" -}}
app.kubernetes.io/name: {{ include "berth.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "berth.labels" -}}
{{ include "berth.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "berth.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "berth.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- /* A class's provisioner can't be changed: one that is there keeps its own, whichever chart made it. */ -}}
{{- define "berth.provisionerName" -}}
{{- $there := dict -}}
{{- if .Values.storageClass.create -}}
{{- $there = lookup "storage.k8s.io/v1" "StorageClass" "" .Values.storageClass.name -}}
{{- end -}}
{{- if .Values.storageClass.provisionerName -}}
{{- .Values.storageClass.provisionerName -}}
{{- else if $there -}}
{{- $there.provisioner -}}
{{- else -}}
cluster.local/{{ include "berth.fullname" . }}
{{- end -}}
{{- end -}}

{{- define "berth.provisionerNames" -}}
{{- concat (list (include "berth.provisionerName" .)) (default list .Values.provisionerNames) | uniq | join "," -}}
{{- end -}}

{{- define "berth.server" -}}
{{- required "nfs.server is not set: name the NFS server, as in --set nfs.server=nfs.example.com" .Values.nfs.server -}}
{{- end -}}

{{- define "berth.path" -}}
{{- required "nfs.path is not set: name the path that the server exports, as in --set nfs.path=/srv/nfs/k8s" .Values.nfs.path -}}
{{- end -}}

{{- /* Values files name the image of the provisioner that they were written for; it can't be Berth's. */ -}}
{{- define "berth.isOthersImage" -}}
{{- if regexMatch "nfs-(client|subdir-external)-provisioner(-arm)?$" .Values.image.repository -}}true{{- end -}}
{{- end -}}

{{- define "berth.image" -}}
{{- $repository := .Values.image.repository -}}
{{- $tag := default .Chart.AppVersion .Values.image.tag -}}
{{- if include "berth.isOthersImage" . -}}
{{- $repository = "berth" -}}
{{- $tag = .Chart.AppVersion -}}
{{- end -}}
{{- $registry := dig "imageRegistry" "" (default dict .Values.global) | default "" -}}
{{- if $registry }}{{ trimSuffix "/" $registry }}/{{ end }}{{ $repository }}:{{ $tag }}
{{- end -}}

{{- define "berth.replicas" -}}
{{- if .Values.leaderElection.enabled }}{{ .Values.replicaCount }}{{ else }}1{{ end -}}
{{- end -}}

{{- define "berth.reservedPort" -}}
{{- if ne .Values.reservedPort "auto" -}}
{{- .Values.reservedPort -}}
{{- else if .Values.nfs.mount -}}
none
{{- else -}}
capability
{{- end -}}
{{- end -}}
