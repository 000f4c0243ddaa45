-- Reads Prosody configurations as data, the way Prosody's own core.configmanager does: names that
-- are set belong to the host opened last. Nothing else can be called from them.
--
--   lua5.4 prosody_config.lua FILE...     prints one line of JSON for each: { host: { key: value } }
--
-- What stands before the first VirtualHost is under "*". A Component's module is its
-- "component_module", as in Prosody.

local function json(value)
  local kind = type(value)
  if kind == "string" then
    return '"' .. value:gsub('[%c"\\\127]', function(c)
      return ("\\u%04x"):format(c:byte())
    end) .. '"'
  elseif kind == "function" then
    -- The filter of a log: shown by what it makes of a line.
    return json(value("token eyJhbGci.eyJ-x_1.s-G_ here"))
  elseif kind ~= "table" then
    return tostring(value)
  end
  local keys, parts = {}, {}
  for key in pairs(value) do keys[#keys + 1] = key end
  if #keys == #value then
    for _, item in ipairs(value) do parts[#parts + 1] = json(item) end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  for _, key in ipairs(keys) do
    parts[#parts + 1] = json(tostring(key)) .. ":" .. json(value[key])
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function read(file)
  local config, current = { ["*"] = {} }, "*"
  local function open(name)
    assert(type(name) == "string" and not config[name], "a host twice")
    config[name], current = {}, name
  end
  local env
  local function load(path)
    assert(loadfile(path, "t", env))()
  end
  env = setmetatable({
    VirtualHost = open,
    Component = function(name)
      open(name)
      return function(module) config[name].component_module = module end
    end,
    Include = load,
  }, {
    __newindex = function(_, key, value) config[current][key] = value end,
    __index = function(_, key) error("the configuration uses `" .. tostring(key) .. "`") end,
  })
  load(file)
  return config
end

for _, file in ipairs(arg) do print(json(read(file))) end
