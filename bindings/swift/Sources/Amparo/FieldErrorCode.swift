import AmparoCore

extension FieldError {
    /// A fixed word for logs and support: never a text of a person.
    public var code: String {
        switch self {
        case .WrongKey: return "wrong-key"
        case .KeyLost: return "key-lost"
        case .NeedsUser: return "needs-user"
        case .StoreTooNew: return "store-too-new"
        case .DiskFull: return "disk-full"
        case .Busy: return "busy"
        case .Interrupted: return "interrupted"
        case .NotFound(let what): return what
        case .InvalidInput(_, let code): return code
        case .StoreDamaged(let code), .WrongState(let code), .PackRejected(let code), .Host(let code),
            .Internal(let code):
            return code
        }
    }
}
