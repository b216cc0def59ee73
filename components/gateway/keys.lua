-- Finds the key that a request carries, refuses keys that contradict each other, and puts the token that belongs to the key
-- where the service looks for it.
--
-- The filter's context holds the keys: `key`, its `consumer`, the `token` it stands for, and whether it is `opaque` (sb_...).
-- The route's metadata says whether a key is `asked` for and where its token goes (`key_to`).
-- Nobody is let in here: the filter after this one looks who `apikey` is as this one leaves it, and lets in or not.

local function decoded(text)
  text = text:gsub("%+", " ")
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

-- The path before the query, and the query's parts.
local function split(path)
  local at = path:find("?", 1, true)
  if at == nil then
    return path, {}
  end
  local parts = {}
  for part in path:sub(at + 1):gmatch("[^&]+") do
    local name, value = part:match("^([^=]*)=?(.*)$")
    table.insert(parts, { text = part, name = decoded(name), value = decoded(value) })
  end
  return path:sub(1, at - 1), parts
end

-- The path again: keys taken out of the query, or replaced by `token`.
local function joined(path, parts, token)
  local kept = {}
  for _, part in ipairs(parts) do
    if part.name ~= "apikey" then
      table.insert(kept, part.text)
    elseif token ~= nil then
      table.insert(kept, "apikey=" .. token:gsub("[^%w%-._~]", function(c) return string.format("%%%02X", c:byte()) end))
      token = nil
    end
  end
  return #kept == 0 and path or path .. "?" .. table.concat(kept, "&")
end

local function has(parts, name)
  for _, part in ipairs(parts) do
    if part.name == name then
      return true
    end
  end
  return false
end

local function opaque(value)
  return value:sub(1, 3) == "sb_"
end

-- What the keys given say together: one entry, none, or why they can't be taken.
local function agreed(keys, given, asked)
  local found = nil
  for _, value in ipairs(given) do
    local entry = nil
    for _, known in ipairs(keys) do
      if known.key == value then
        entry = known
        break
      end
    end
    if entry == nil then
      if asked or opaque(value) then
        return nil, "Invalid API key"
      end
      -- Somebody else's token, which the service judges.
      entry = { consumer = "other " .. value, token = value }
    end
    if found ~= nil and found.consumer ~= entry.consumer then
      return nil, "Conflicting API keys"
    end
    found = found or entry
  end
  return found, nil
end

local function set_authorization(headers, found, asked, parts)
  local authorization = headers:get("authorization") or ""
  local scheme, value = authorization:match("^(%a+)%s+(.*)$")
  scheme = (scheme or ""):lower()
  local own = authorization ~= "" and scheme ~= "basic" and not (scheme == "bearer" and opaque(value))
  if own then
    return
  end
  -- A signature in the query is meant to count, and the service looks at the header first.
  if found ~= nil and (asked or not has(parts, "X-Amz-Signature")) then
    headers:replace("authorization", "Bearer " .. found.token)
  elseif not asked then
    headers:remove("authorization")
  end
end

function envoy_on_request(handle)
  local route = handle:metadata()
  local target, asked = route:get("key_to"), route:get("asked")
  local headers = handle:headers()
  local path, parts = split(headers:get(":path"))

  local given = {}
  for index = 0, headers:getNumValues("apikey") - 1 do
    table.insert(given, headers:getAtIndex("apikey", index))
  end
  if target ~= "sb-api-key" then
    for _, part in ipairs(parts) do
      if part.name == "apikey" then
        table.insert(given, part.value)
      end
    end
  end
  for index = #given, 1, -1 do
    if given[index] == "" then
      table.remove(given, index)
    end
  end
  local named = #given > 0
  local bearer = (headers:get("authorization") or ""):match("^[Bb][Ee][Aa][Rr][Ee][Rr]%s+(sb_.*)$")
  if bearer ~= nil then
    table.insert(given, bearer)
  end

  local found, why = agreed(handle:filterContext():get("keys"), given, asked)
  if why ~= nil then
    handle:respond({ [":status"] = "401" }, why)
    return
  end

  -- One in `Authorization` alone is none, as on the hosted platform.
  if asked and not named then
    handle:respond({ [":status"] = "401" }, "No API key found in request")
    return
  end

  if asked then
    headers:remove("apikey")
    headers:add("apikey", found.token)
    if has(parts, "apikey") then
      local token = target == "x-api-key" and found.token or nil
      headers:replace(":path", joined(path, parts, token))
    end
  end

  if target == "authorization" then
    set_authorization(headers, found, asked, parts)
  elseif target == "x-api-key" then
    headers:remove("x-api-key")
    headers:add("x-api-key", found.token)
  elseif target == "sb-api-key" then
    headers:remove("sb-api-key")
    if found ~= nil and found.opaque then
      headers:add("sb-api-key", found.token)
    end
  end
end
