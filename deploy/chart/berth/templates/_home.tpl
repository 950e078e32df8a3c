{{- define "berth.home.repository" -}}berth{{- end -}}
