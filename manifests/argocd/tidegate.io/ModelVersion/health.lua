-- What Argo CD shows of a ModelVersion: it is a record, with which all is well until somebody says otherwise.
local health = { status = "Healthy", message = "" }
for _, condition in ipairs((obj.status or {}).conditions or {}) do
  if condition.status == "False" then
    return { status = "Degraded", message = condition.message }
  end
  if condition.type == "Verified" then
    health.message = condition.message
  end
end
return health
