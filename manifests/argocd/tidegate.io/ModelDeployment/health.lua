-- What Argo CD shows of a ModelDeployment, by its conditions.
local health = { status = "Progressing", message = "the operator has not looked at it yet" }
local status = obj.status or {}
-- Until it has looked, the status speaks of what the spec was before.
if status.observedGeneration ~= obj.metadata.generation then
  return health
end
local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end
local ready, stalled = conditions.Ready, conditions.Stalled
if ready == nil or stalled == nil then
  return health
end
health.message = ready.message
if stalled.status == "True" then
  health.status = "Degraded"
elseif obj.spec.paused then
  health.status = "Suspended"
elseif ready.status == "True" then
  health.status = "Healthy"
end
return health
