Gem::Specification.new do |spec|
  spec.name = "cassius-calendar"
  spec.version = "0.1.0"
  spec.summary = "The client of cassius-calendar: what keeps Google Calendar in step with the appointments of Cassius"
  spec.authors = ["Cassius"]
  spec.license = "Nonstandard"
  spec.homepage = "https://cassius.example"
  spec.required_ruby_version = ">= 3.1"
  spec.files = Dir["lib/**/*.rb"]
  spec.add_dependency "googleapis-common-protos-types", "~> 1.4"
  spec.add_dependency "grpc", "~> 1.51"
end
