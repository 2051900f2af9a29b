// The views, requests and errors of the generated module belong to what an app sees: `import Amparo` is enough.
@_exported import AmparoCore
